"""Run commands in parallel, read their lines, and stop all at once."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LAST_LINES = 12  # repeated when a stage fails
GRACE = 10.0  # seconds for a command to clean up after Ctrl-C


class CommandFailedError(Exception):
    """A command failed: its exit code, and the last lines that it wrote."""

    def __init__(self, command: str, code: int, lines: Sequence[str]) -> None:
        super().__init__(f"`{command}` left with {code}")
        self.lines = tuple(lines)


@dataclass
class Commands:
    """The running commands. Each has its own process group, so that only this class interrupts it."""

    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _changing: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def run(
        self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], on_line: Callable[[str], None]
    ) -> None:
        """Run a command to its end; `on_line` gets each line that it writes. A failure is an error."""
        last: deque[str] = deque(maxlen=LAST_LINES)
        with self._start(command, folder, environment) as process:
            for line in process.stdout or ():
                last.append(line.rstrip("\n"))
                on_line(last[-1])
        with self._changing:
            self._running.discard(process)
        if process.returncode:
            raise CommandFailedError(command[-1], process.returncode, last)

    def stop(self, number: int = signal.SIGINT, *, grace: float = GRACE) -> None:
        """Interrupt every command as Ctrl-C does; kill one that does not stop. No other is started."""
        with self._changing:
            self._stopped = True
            running = list(self._running)
        for process in running:
            _signal(process, number)
        for process in running:
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)

    def _start(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._changing:
            if self._stopped:
                raise CommandFailedError(command[-1], -signal.SIGINT, ["not started: the run was stopped"])
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
        return process


def _signal(process: subprocess.Popen[str], number: int) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):  # it ended just now
            os.killpg(process.pid, number)
