"""Run commands that are killed, with all that they started, when this process ends.

Between this process and the command stands a supervisor: this file as a script. Its standard input is a pipe that this
process keeps open and never writes to. When the pipe closes, this process is dead, however it died, and the supervisor
kills the command's process group. It inherits the locks that this process holds, so they stay taken until then.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

GRACE = 10.0  # seconds for a command to clean up after Ctrl-C


@contextmanager
def running(command: Sequence[str], **options: Any) -> "Iterator[subprocess.Popen[Any]]":
    """Run a command while the block runs, and wait for its end; if the block fails, interrupt the command.

    The options are those of subprocess.Popen.
    """
    with start(command, **options) as process:
        try:
            yield process
            process.wait()  # before `with` closes the pipe
        except BaseException:
            stop([process])
            raise


def start(command: Sequence[str], **options: Any) -> "subprocess.Popen[Any]":
    """Start a command under its supervisor, which has the command's exit code and passes SIGINT and SIGTERM on."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, *command],
        stdin=subprocess.PIPE,
        start_new_session=True,
        close_fds=False,  # of this process, only locks can be inherited
        **options,
    )


def stop(processes: "Iterable[subprocess.Popen[Any]]", number: int = signal.SIGINT, *, grace: float = GRACE) -> None:
    """Send started commands a signal, and kill those that do not end."""
    at_work = [process for process in processes if process.poll() is None]
    for process in at_work:
        process.send_signal(number)
    for process in at_work:
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def main() -> None:
    """Supervise the command of the arguments."""
    early: list[int] = []
    _on_signals(early.append)
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    _on_signals(lambda number: _signal(child, number))
    for number in early:
        _signal(child, number)
    threading.Thread(target=_kill_at_end_of_input, args=(child,), daemon=True).start()
    code = child.wait()
    os._exit(code if code >= 0 else 128 - code)  # an orderly exit would wait for the thread, which still reads


def _on_signals(react: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: react(number))


def _kill_at_end_of_input(child: "subprocess.Popen[bytes]") -> None:
    os.read(sys.stdin.fileno(), 1)
    _signal(child, signal.SIGKILL)


def _signal(child: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    main()
