"""Run commands in parallel, read their lines, and stop all at once."""

import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.kill_with_parent import start, stop

LAST_LINES = 12  # repeated when a stage fails


class CommandFailedError(Exception):
    """A command failed: its exit code, and the last lines that it wrote."""

    def __init__(self, command: str, code: int, lines: Sequence[str]) -> None:
        super().__init__(f"`{command}` left with {code}")
        self.lines = tuple(lines)


@dataclass
class Commands:
    """The running commands. Only this class interrupts them, and they are killed when this process ends."""

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
            process.wait()
        with self._changing:
            self._running.discard(process)
        if process.returncode:
            raise CommandFailedError(command[-1], process.returncode, last)

    def stop(self) -> None:
        """Interrupt every command as Ctrl-C does; kill one that does not stop. No other is started."""
        with self._changing:
            self._stopped = True
            running = list(self._running)
        stop(running)

    def _start(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._changing:
            if self._stopped:
                raise CommandFailedError(command[-1], -signal.SIGINT, ["not started: the run was stopped"])
            process = start(
                command,
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._running.add(process)
        return process
