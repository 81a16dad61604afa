"""Processes that run beside the play and end with it, however it ends; and how they are waited for."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ops.demo.monitor.errors import PlayError
from ops.retrain.kill_with_parent import kill_with_parent

SECONDS = 60
LAST_CHARACTERS = 2000


@contextmanager
def running(
    *command: str, folder: Path, environment: Mapping[str, str], output: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command for as long as the block lasts, then tell it to stop, and make it where it does not."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with (
        output.open("ab") as written,
        subprocess.Popen(
            kill_with_parent(*command), cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=written,
            stderr=written, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            _wait(process)


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        assert process.stdin is not None
        process.stdin.close()  # kills what ignores SIGTERM
        process.wait()


def wait_until(holds: Callable[[], object], *, process: "subprocess.Popen[bytes] | None", output: Path) -> None:
    """Wait until something holds; where the process ends before, or a minute passes, that ends the play."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > deadline:
            said = output.read_text(encoding="utf-8", errors="replace")[-LAST_CHARACTERS:] if output.exists() else ""
            raise PlayError(f"It {'ended' if ended else f'was not there after {SECONDS} s'}; it said:\n{said}")
        time.sleep(0.1)


def answers(address: str) -> bool:
    """Return whether something answers 200 there."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - an address on loopback of our own
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def free_port() -> int:
    """Return a port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
