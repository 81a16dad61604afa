"""Run background processes that end with the demo, and wait for them."""

import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ops.demo.sandbox import DemoError
from ops.kill_with_parent import start, stop

SECONDS = 60
LAST_CHARACTERS = 2000


@contextmanager
def running(
    *command: str, folder: Path, environment: Mapping[str, str], output: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command while the block runs; then terminate it, and kill it if it does not stop."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with (
        output.open("ab") as written,
        start(command, cwd=folder, env=environment, stdout=written, stderr=written) as process,
    ):
        try:
            yield process
        finally:
            stop([process], signal.SIGTERM, grace=SECONDS)


def wait_until(condition: Callable[[], object], *, process: "subprocess.Popen[bytes] | None", output: Path) -> None:
    """Wait until a condition is true; raise DemoError if the process ends before, or after a minute."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > deadline:
            printed = output.read_text(encoding="utf-8", errors="replace")[-LAST_CHARACTERS:] if output.exists() else ""
            raise DemoError(
                f"The process {'ended' if ended else f'was not ready after {SECONDS} s'}. Its output:\n{printed}"
            )
        time.sleep(0.1)


def answers(address: str) -> bool:
    """Return whether the address responds with 200."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - an address on loopback of our own
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def free_port() -> int:
    """Return a free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
