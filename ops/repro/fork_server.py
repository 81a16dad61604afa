"""Run stages in forks of this process, which has imported their libraries.

Standard output is a socket. Each message names a stage's module, folder and environment, and carries two descriptors:
for what the stage writes, and for its exit code. This process imports libraries, and no code that a stage imports from
this repository: a stage does that itself. It has no thread of Python, OpenMP or BLAS when it forks.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ops.dvc.import_closure import libraries

LARGEST = 1 << 20  # bytes of a message
TASKS = Path("/proc/self/task")
REPOSITORY = ("lab", "ops", "stages")
HARMLESS = "jemalloc_bg_thd"  # Arrow's memory pool starts this thread, and prepares it for a fork


def main() -> None:
    """Answer messages until the socket ends; in a fork, run the stage."""
    module = serve()
    os._exit(0 if module is None else run(module))  # quicker than to tear down the libraries


def serve() -> str | None:
    """Fork for each message, and return its module in the fork; return None when the socket and all forks ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the forks, which are in this process group
    requests, ended = socket.socket(fileno=os.dup(1)), _wake_at_end_of_fork()
    os.dup2(2, 1)
    results: dict[int, int] = {}  # where the exit code of a fork is written, by its process
    while requests.fileno() >= 0 or results:
        for ready in select.select([ended, *[each for each in [requests] if each.fileno() >= 0]], [], [])[0]:
            if ready is ended:
                ended.recv(LARGEST)
                _report(results)
                continue
            body, streams, _, _ = socket.recv_fds(requests, LARGEST, 2)
            if not body:
                requests.close()
                continue
            request = json.loads(body)
            _preload(request["module"])
            alone = not _has_threads()
            process = os.fork()
            if process == 0:
                requests.close()
                for number in [streams[1], *results.values(), signal.set_wakeup_fd(-1)]:
                    os.close(number)
                _become(request, streams[0], alone=alone)
                return str(request["module"])
            os.close(streams[0])
            results[process] = streams[1]
    return None


def run(module: str) -> int:
    """Run a module as `python -m` does, with what an interpreter does at its end, and return the exit code."""
    code: object = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - waits for the threads of the stage
    atexit._run_exitfuncs()  # noqa: SLF001 - as above
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code or 0)


def _wake_at_end_of_fork() -> socket.socket:
    woken, waker = socket.socketpair()
    for each in (woken, waker):
        each.settimeout(0)
    signal.set_wakeup_fd(waker.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return woken


def _report(results: dict[int, int]) -> None:
    """Write the exit codes of the forks that ended."""
    while results:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        result = results.pop(process)
        with suppress(OSError):  # nobody reads it any more
            os.write(result, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(result)


@cache
def _preload(module: str) -> None:
    """Import the libraries of a stage; the stage itself reports one that cannot be imported."""
    for name, parts in libraries(module, root=Path()):
        with suppress(Exception):
            __import__(name, fromlist=parts)
    gc.freeze()  # a collection in a fork would copy the memory that it shares


def _become(request: dict[str, Any], output: int, *, alone: bool) -> None:
    """Make a fork equal to a new interpreter that runs the module; where threads ran before it, start a new one."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [request["module"]]
    if not alone:
        os.execv(sys.executable, [sys.executable, "-m", request["module"]])  # noqa: S606 - no shell is needed
    for name in [name for name in sys.modules if name.partition(".")[0] in REPOSITORY]:
        del sys.modules[name]


def _has_threads() -> bool:
    names = [(task / "comm").read_text().strip() for task in TASKS.iterdir()]
    return len(names) - names.count(HARMLESS) > 1


if __name__ == "__main__":
    main()
