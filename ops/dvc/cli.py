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

from ops.dvc.atomic_files import atomic_files
from ops.kill_with_parent import running

LAST_LINES = 20
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
    command = [sys.executable, "-m", "dvc", *arguments]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with running(command, cwd=root, env=environment(), **output) as process:
        for line in process.stdout or ():
            last.append(line.rstrip("\n"))
            if line.startswith(RUNNING):
                started(line.removeprefix(RUNNING).split("'")[0])
    return Ended(process.returncode, tuple(last))


def run_here(*arguments: str) -> int:
    """Run a DVC command in this process; return its exit code."""
    from dvc.cli import main  # noqa: PLC0415 - DVC takes a quarter of a second to import

    with atomic_files():
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
