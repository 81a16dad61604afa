"""Run DVC, stages and verbs as forks of one process that has imported their libraries.

Importing takes longer than running. The libraries are imported once; the code of this repository is imported by each
run, from the folder in which it runs. Each run is a process of its own, and so is what it starts by these commands. A
test of another interpreter, or of another setting of a library, needs a real process instead.
"""

import atexit
import contextlib
import importlib
import marshal
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parent.parent
# What an interpreter or a library reads as it starts, so that a fork would not see it.
READ_AT_THE_START = {"PYTHONHASHSEED", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "TZ", "LANG"}
DVC = ("dvc.cli.parser", "dvc.repo.reproduce", "dvc.repo.experiments", "dvc_data.index")
SCIENCE = ("pandas", "pyarrow.parquet", "scipy.stats", "sklearn.ensemble", "skops.io", "duckdb", "shap", "pydantic")
ONE_AT_A_TIME = threading.Lock()
# It hands over its arguments, folder, environment and streams, and ends as the fork does; all else is real Python.
CLIENT = """\
#!{python} -IS
import _signal, _socket, marshal, os, sys
words = sys.argv[1:]
if os.path.basename(sys.argv[0]) == "dvc":
    words = ["-m", "dvc", *words]
if len(words) < 2 or words[0] != "-m" or words[1].partition(".")[0] not in ("dvc", "ops", "stages"):
    os.execv("{python}", ["{python}", *words])
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.connect("{address}")
body = marshal.dumps((words[1:], os.getcwd(), dict(os.environ)))
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
server.sendmsg([len(body).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
server.sendall(body)
for number in (_signal.SIGINT, _signal.SIGTERM):
    _signal.signal(number, lambda number, _: server.send(bytes([number])))
code = int(server.recv(8) or b"1")
if code < 0:
    if -code != 9:
        _signal.signal(-code, _signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


def commands() -> Path:
    """Return a folder with a `python` and a `dvc` that fork; the process that they fork from ends with this one."""
    with ONE_AT_A_TIME:
        return _started()


@cache
def _started() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="forks-")
    server = subprocess.Popen([sys.executable, "-m", __name__, folder.name], cwd=ROOT, stdin=subprocess.PIPE)
    atexit.register(folder.cleanup)
    atexit.register(server.wait)
    assert server.stdin is not None
    atexit.register(server.stdin.close)
    address, place = Path(folder.name, "socket"), Path(folder.name, "bin")
    place.mkdir()
    for name in ("python", "dvc"):
        (place / name).write_text(CLIENT.format(python=sys.executable, address=address))
        (place / name).chmod(0o755)
    while not address.exists():
        assert server.poll() is None, "the process to fork from has ended"
        select.select([], [], [], 0.01)
    return place


def _serve(folder: Path) -> None:
    """Fork for each connection until standard input is closed."""
    import lab.core.determinism  # noqa: F401, PLC0415 - before numpy, and only here

    with warnings.catch_warnings(action="ignore"):
        for name in (*DVC, *SCIENCE):
            importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"lab", "tests"}]:
        del sys.modules[name]
    sys.path.remove(str(ROOT))
    sys.executable = str(folder / "bin/python")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "starting"))
    listener.listen(64)
    (folder / "starting").rename(folder / "socket")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # those that a terminal interrupts end their forks
    _answer(listener)


def _answer(listener: socket.socket) -> NoReturn:
    """Fork for each connection until standard input is closed."""
    running: dict[int, tuple[int, socket.socket]] = {}  # the process and its client by the process' descriptor
    while True:
        clients = {client.fileno(): process for process, client in running.values()}
        ready, _, _ = select.select([0, listener.fileno(), *running, *clients], [], [])
        if 0 in ready:
            for process, _ in running.values():
                os.killpg(process, signal.SIGKILL)
            os._exit(0)  # quicker than to tear down the libraries
        for number in ready:
            if number == listener.fileno():
                client, _ = listener.accept()
                process = _fork(client, listener)
                running[os.pidfd_open(process)] = (process, client)
            elif number in running:
                process, client = running.pop(number)
                code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
                with contextlib.suppress(OSError):  # nobody waits for it any more
                    client.send(str(code).encode())
                clients.pop(client.fileno(), None)
                client.close()
                os.close(number)
            elif number in clients:
                _pass_on(clients[number], number)


def _pass_on(process: int, client: int) -> None:
    """Send a process the signal that its client was sent; where that was killed, kill all that the process started."""
    sent = os.read(client, 1)
    with contextlib.suppress(ProcessLookupError):
        if sent:
            os.kill(process, sent[0])
        else:
            os.killpg(process, signal.SIGKILL)


def _fork(client: socket.socket, listener: socket.socket) -> int:
    size, streams, _, _ = socket.recv_fds(client, 8, 3)
    body = b""
    while len(body) < int.from_bytes(size, "big"):
        body += client.recv(1 << 16)
    process = os.fork()
    if process == 0:
        listener.close()
        client.close()
        _become(streams, *marshal.loads(body))  # noqa: S302 - it comes from a test of this user
    for stream in streams:
        os.close(stream)
    return process


def _become(streams: list[int], words: list[str], folder: str, environment: dict[str, str]) -> NoReturn:
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv, sys.dont_write_bytecode = words, "PYTHONDONTWRITEBYTECODE" in environment
    sys.path[:0] = [folder, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    os._exit(_ended(words[0]))


def _ended(module: str) -> int:
    """Run a module as `python -m` does, and return the exit code."""
    code: object = 1
    try:
        if module != "dvc":
            _pin()
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
        if not isinstance(code, int):
            print(code, file=sys.stderr)  # noqa: T201 - as the interpreter does
            code = 1
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]  # what an interpreter does at its end
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    return int(str(code))


def _pin() -> None:
    """Run the folder's own pins, which expect to come before numpy."""
    with _without("numpy"), contextlib.suppress(ModuleNotFoundError):
        import lab.core.determinism  # noqa: F401, PLC0415


@contextlib.contextmanager
def _without(name: str) -> Iterator[None]:
    module = sys.modules.pop(name)
    yield
    sys.modules[name] = module


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
