"""Run commands beside each other, hear what they say, and stop them all at once."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LAST_LINES = 12  # that are told again when a stage fails
PATIENCE = 10.0  # seconds that a command has to clear up after Ctrl-C


class CommandFailedError(Exception):
    """A command did not end well: its exit code, and the last lines it wrote."""

    def __init__(self, command: str, code: int, lines: Sequence[str]) -> None:
        super().__init__(f"`{command}` left with {code}")
        self.lines = tuple(lines)


@dataclass
class Commands:
    """The commands that run now. Each has a process group of its own, so that Ctrl-C reaches it once, from here."""

    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _changing: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def run(
        self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], hear: Callable[[str], None]
    ) -> None:
        """Run a command to its end; `hear` gets each line that it writes. One that fails is an error."""
        last: deque[str] = deque(maxlen=LAST_LINES)
        with self._start(command, folder, environment) as process:
            for line in process.stdout or ():
                last.append(line.rstrip("\n"))
                hear(last[-1])
        with self._changing:
            self._running.discard(process)
        if process.returncode:
            raise CommandFailedError(command[-1], process.returncode, last)

    def stop(self, number: int = signal.SIGINT, *, patience: float = PATIENCE) -> None:
        """Ask every command to stop, as Ctrl-C does; one that does not heed it is killed. No other is started."""
        with self._changing:
            self._stopped = True
            running = list(self._running)
        for process in running:
            _signal(process, number)
        for process in running:
            try:
                process.wait(patience)
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
