"""Run commands of DVC; stop them with all that they started when this process stops."""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

LAST_LINES = 20
GRACE = 10.0  # seconds for DVC to clean up after Ctrl-C
RUNNING = "Running stage '"
# What a hook of git sets; in a clone, git would use the repository of the hook.
GIT_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


@dataclass(frozen=True)
class Ended:
    """The exit code of DVC, and the last lines that it and its stages wrote."""

    code: int
    lines: tuple[str, ...]


def run_dvc(*arguments: str, root: Path, started: Callable[[str], None] = lambda _name: None) -> Ended:
    """Run a DVC command in a repository; `started` gets the name of each stage when it begins."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    with _process([sys.executable, "-m", "dvc", *arguments], root) as process:
        for line in process.stdout or ():
            last.append(line.rstrip("\n"))
            if line.startswith(RUNNING):
                started(line.removeprefix(RUNNING).split("'")[0])
    return Ended(process.returncode, tuple(last))


def run_here(*arguments: str) -> int:
    """Run a DVC command in this process; return its exit code."""
    from dvc.cli import main  # noqa: PLC0415 - DVC takes a quarter of a second to import

    return int(main(list(arguments)))


def environment() -> dict[str, str]:
    """Return the environment of a command in another repository: without git's own variables."""
    return {name: value for name, value in os.environ.items() if name not in GIT_VARIABLES}


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that nothing keeps running and nothing is left behind."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process in a group of its own; the whole group is stopped when the block is left early."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            yield process
        except BaseException:
            _stop(process)
            raise


def _stop(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
