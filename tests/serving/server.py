"""Start a real server in a separate process on a free port of loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.project import QUIET, ROOT

SECONDS_TO_START = 60


@contextmanager
def served(folder: Path, *, workers: int = 1, **settings: str) -> Iterator[str]:
    """Yield the address of a server whose output goes to `folder`/server.txt; settings are named as in Settings."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**QUIET, **{f"LAB_{name.upper()}": value for name, value in settings.items()}}
    environment["TMPDIR"] = str(folder.resolve())  # for the shared metrics of several workers
    command = [sys.executable, "-m", "serving", "--port", str(port), "--workers", str(workers)]
    with (folder / "server.txt").open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, address, folder / "server.txt")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, 9)
            process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, output: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert process.poll() is None, output.read_text()
        try:
            with urllib.request.urlopen(f"{address}/ready", timeout=5):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise AssertionError(f"the server did not start: {output.read_text()}")
