"""Run stages as forks of one interpreter that has imported their libraries."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lab.core.cpu_kernels import PINNED
from ops.kill_with_parent import start

SERVER = "ops.repro.fork_server"
COMMAND = re.compile(r"python -m (stages\.\w+)")


@dataclass(frozen=True)
class Fork:
    """A running fork: what it writes, and where its exit code will be."""

    output: TextIO
    result: int

    def wait(self) -> int:
        """Return the exit code, negative for a signal; where the fork server was killed, its forks are, too."""
        code = os.read(self.result, 8)
        os.close(self.result)
        return int(code or -signal.SIGKILL)


@dataclass(frozen=True)
class ForkServer:
    """The interpreter to fork from. It is killed with its forks when this process ends."""

    process: subprocess.Popen[str]
    requests: socket.socket

    @classmethod
    def start(cls, folder: Path) -> "ForkServer":
        """Start it in the root of the repository. It imports a library when a stage first needs it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:  # the supervisor passes its standard output on, and no other descriptor
            command = [sys.executable, "-m", SERVER]
            return cls(start(command, cwd=folder, env={**os.environ, **PINNED}, stdout=theirs), ours)

    def fork(self, module: str, *, folder: Path, environment: Mapping[str, str]) -> Fork:
        """Run a module in a fork, with this folder and environment."""
        body = json.dumps({"module": module, "folder": str(folder), "environment": {**environment, **PINNED}})
        (output, written), (result, code) = os.pipe(), os.pipe()
        fork = Fork(os.fdopen(output, encoding="utf-8", errors="replace"), result)
        try:
            socket.send_fds(self.requests, [body.encode()], [written, code])
        except OSError:
            fork.output.close()
            os.close(result)
            raise
        finally:
            os.close(written)
            os.close(code)
        return fork

    def close(self) -> None:
        """Let it end when its forks have ended."""
        self.requests.close()


def forkable(command: str, *, folder: Path, environment: Mapping[str, str]) -> str | None:
    """Return the module that a command runs, if a fork does the same as a shell and its Python; None otherwise.

    Elsewhere than on Linux a fork is not safe after these imports.
    """
    found, python = COMMAND.fullmatch(command), shutil.which("python", path=environment.get("PATH"))
    if sys.platform != "linux" or found is None or python is None:
        return None
    same = Path(python).parent.samefile(Path(sys.executable).parent)
    module = found[1]
    return module if same and (folder / module.replace(".", "/")).with_suffix(".py").is_file() else None
