"""Run a command that must not outlive the process that asked for it, however that process ends.

Started as a script, with the standard library alone: its standard input is a pipe that the asker holds open and never
writes to. When the pipe ends, the asker is dead, and the command with all that it started is killed. Being told to stop
is handed on, so that the command may come to an orderly end.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def main() -> None:
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: _tell(child, signal.SIGTERM))
    threading.Thread(target=_follow, args=(child,), daemon=True).start()
    code = child.wait()
    os._exit(code if code >= 0 else 128 - code)  # the thread still reads, which an orderly end would wait for


def _follow(child: "subprocess.Popen[bytes]") -> None:
    os.read(sys.stdin.fileno(), 1)
    _tell(child, signal.SIGKILL)


def _tell(child: "subprocess.Popen[bytes]", what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, what)


if __name__ == "__main__":
    main()
