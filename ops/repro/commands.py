"""Run commands in parallel, read their lines, and stop all at once."""

import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ops.kill_with_parent import start, stop
from ops.repro.forks import ForkServer, forkable

LAST_LINES = 12  # repeated when a stage fails
OnLine = Callable[[str], None]


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
    _server: ForkServer | None = None

    def run(self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], on_line: OnLine) -> None:
        """Run a command to its end; `on_line` gets each line that it writes. A failure is an error."""
        last: deque[str] = deque(maxlen=LAST_LINES)
        with self._start(command, folder, environment) as process:
            _pass_on(process.stdout or (), last, on_line)
            process.wait()
        with self._changing:
            self._running.discard(process)
        if process.returncode:
            raise CommandFailedError(command[-1], process.returncode, last)

    def run_stage(
        self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], on_line: OnLine
    ) -> None:
        """Do as `run`, but a command that only runs a module of `stages` becomes a fork of one interpreter."""
        module = forkable(command[-1], folder=folder, environment=environment)
        if module is not None:
            with suppress(OSError):  # the fork server cannot be reached, so the command gets an interpreter of its own
                fork = self._forks(command[-1], folder).fork(module, folder=folder, environment=environment)
                last: deque[str] = deque(maxlen=LAST_LINES)
                with fork.output:
                    _pass_on(fork.output, last, on_line)
                code = fork.wait()
                if code < 0:
                    _pass_on([signal.strsignal(-code) or ""], last, on_line)
                if code:
                    raise CommandFailedError(command[-1], code if code > 0 else 128 - code, last)
                return
        self.run(command, folder=folder, environment=environment, on_line=on_line)

    def stop(self) -> None:
        """Interrupt every command as Ctrl-C does; kill one that does not stop. No other is started."""
        with self._changing:
            self._stopped = True
            running = list(self._running)
            if self._server:
                self._server.close()
        stop(running)

    def close(self) -> None:
        """End the fork server; nothing runs any more."""
        with self._changing:
            if self._server:
                self._server.close()
                with self._server.process as process:
                    process.wait()

    def _forks(self, command: str, folder: Path) -> ForkServer:
        with self._changing:
            self._refuse_if_stopped(command)
            if self._server is None:
                self._server = ForkServer.start(folder)
                self._running.add(self._server.process)
        return self._server

    def _start(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._changing:
            self._refuse_if_stopped(command[-1])
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

    def _refuse_if_stopped(self, command: str) -> None:
        if self._stopped:
            raise CommandFailedError(command, -signal.SIGINT, ["not started: the run was stopped"])


def _pass_on(lines: Iterable[str], last: deque[str], on_line: OnLine) -> None:
    for line in lines:
        last.append(line.rstrip("\n"))
        on_line(last[-1])
