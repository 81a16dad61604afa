"""Run a command that is killed when its parent process ends.

As a script it needs the standard library only. Its standard input is a pipe that the parent keeps open and never writes
to. When the pipe closes, the parent is dead, and the command is killed with all its children. SIGTERM is passed on, so
the command can stop in order.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def kill_with_parent(*command: str) -> list[str]:
    """Return the command line that runs `command`, killed when the pipe at its standard input closes."""
    return [sys.executable, "-I", "-S", __file__, *command]


def main() -> None:
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: _signal(child, signal.SIGTERM))
    threading.Thread(target=_kill_at_end_of_input, args=(child,), daemon=True).start()
    code = child.wait()
    os._exit(code if code >= 0 else 128 - code)  # an orderly exit would wait for the thread, which still reads


def _kill_at_end_of_input(child: "subprocess.Popen[bytes]") -> None:
    os.read(sys.stdin.fileno(), 1)
    _signal(child, signal.SIGKILL)


def _signal(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    main()
