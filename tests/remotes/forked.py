"""Run DVC many times with one import: a process forks for every command."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from tests.project import ROOT

WARM = ("dvc.cli.parser", "dvc.repo.fetch", "dvc_data.index", "sqlalchemy", "s3fs", "sshfs", "webdav4.fsspec")


@dataclass(frozen=True)
class Forks:
    """The client's side: one command at a time."""

    server: subprocess.Popen[str]
    folder: Path

    def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        until: Callable[[], bool] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run `dvc` without a terminal; where `until` is given, kill it as soon as that holds."""
        assert self.server.stdin is not None
        self.server.stdin.write(json.dumps([arguments, str(cwd), dict(environment), str(self.folder)]) + "\n")
        self.server.stdin.flush()
        child = self._answer()
        if until is not None:
            _kill_when(until, child)
        code = self._answer()
        printed = [(self.folder / name).read_text() for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess(["dvc", *arguments], code, *printed)

    def _answer(self) -> int:
        assert self.server.stdout is not None
        return int(self.server.stdout.readline())


def _kill_when(reached: Callable[[], bool], child: int) -> None:
    with suppress(ProcessLookupError):  # it ended by itself
        while not reached():
            os.kill(child, 0)
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)


@contextmanager
def forks() -> Iterator[Forks]:
    """Yield a process that has DVC and its storages imported."""
    with TemporaryDirectory(prefix="forks-") as folder:
        command = [sys.executable, "-W", "ignore", "-m", __name__]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            yield Forks(server, Path(folder))
            assert server.stdin is not None
            server.stdin.close()


def _serve() -> None:
    for name in WARM:
        import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(*json.loads(line))
        print(child, flush=True)  # noqa: T201 - the answer
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


def _become(arguments: list[str], cwd: str, environment: dict[str, str], folder: str) -> NoReturn:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for place, name in enumerate(("stdout", "stderr"), start=1):
        os.dup2(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), place)
    from dvc.cli import main  # noqa: PLC0415

    code = main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
