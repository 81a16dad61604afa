"""OpenSSH's server as an ordinary process on loopback, with keys that were made for it."""

import getpass
import os
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.remotes import held_sftp
from tests.remotes.storages import FolderShelf, Storage
from tests.remotes.web import LOOPBACK

CONFIGURATION = """
HostKey {folder}/host
AuthorizedKeysFile {folder}/mine.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
LogLevel QUIET
Subsystem sftp {folder}/sftp
"""
SFTP = """#!/bin/sh
[ -f {folder}/gate ] || exec {program}
exec {python} -SE {relay} {program} {folder}/gate {folder}/shared/killed
"""


def programs() -> tuple[str, str] | None:
    """Return where sshd and its sftp-server are, on the PATH or where distributions put them."""
    places = [os.environ["PATH"], "/usr/sbin", "/usr/lib/openssh", "/usr/libexec/openssh", "/usr/lib/ssh"]
    found = [shutil.which(name, path=os.pathsep.join(places)) for name in ("sshd", "sftp-server")]
    return (found[0], found[1]) if found[0] and found[1] else None


@dataclass(frozen=True)
class FileGate:
    """Closed while its file is there; the relay before sftp-server looks at it."""

    folder: Path

    def close_after(self, uploads: int) -> None:
        (self.folder / "gate").write_text(str(uploads))

    def open(self) -> None:
        (self.folder / "gate").unlink(missing_ok=True)
        (self.folder / "holds").unlink(missing_ok=True)

    def held(self) -> bool:
        return (self.folder / "holds").exists()


@contextmanager
def ssh_storage(folder: Path, sshd: str, sftp: str) -> Iterator[Storage]:
    """Yield a folder behind sshd; the client's key is in an agent, another agent holds a key that is not let in."""
    shelf = folder / "shared"
    shelf.mkdir()
    for name in ("host", "mine", "other"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    (folder / "configuration").write_text(CONFIGURATION.format(folder=folder))
    (folder / "sftp").write_text(
        SFTP.format(folder=folder, program=sftp, python=sys.executable, relay=held_sftp.__file__)
    )
    (folder / "sftp").chmod(0o755)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd's empty folder, which its service would make
    with (
        _listening([sshd, "-i", "-f", str(folder / "configuration")]) as server,
        _agent(folder, "mine") as mine,
        _agent(folder, "other") as other,
    ):
        home = {"HOME": str(folder)}
        yield Storage(
            kind="ssh",
            values={
                "USER": getpass.getuser(),
                "HOST": f"{LOOPBACK}:{server.server_address[1]}",
                "PATH": str(shelf).lstrip("/"),
            },
            shelf=FolderShelf(shelf),
            environment={"SSH_AUTH_SOCK": mine, **home},
            wrong={"SSH_AUTH_SOCK": other, **home},
            refusal="Permission denied",
            secrets=tuple((folder / name).read_text().splitlines()[2] for name in ("mine", "other")),
            gate=FileGate(folder),
        )


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def _listening(command: list[str]) -> Iterator[_Server]:
    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            subprocess.run(command, stdin=self.request, stdout=self.request, stderr=subprocess.DEVNULL, check=False)

    server = _Server((LOOPBACK, 0), Connection)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _agent(folder: Path, key: str) -> Iterator[str]:
    socket = folder / f"{key}.agent"  # short: a socket's path may have 107 characters
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()  # it listens from here on
        _run("ssh-add", "-q", "-", stdin=(folder / key).read_text(), SSH_AUTH_SOCK=str(socket))
        yield str(socket)
    finally:
        agent.terminate()
        agent.communicate()


def _run(*command: str, stdin: str = "", **environment: str) -> None:
    subprocess.run(
        command, check=True, env={**os.environ, **environment}, timeout=60, input=stdin, text=True, capture_output=True
    )
