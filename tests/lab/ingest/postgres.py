"""Start a private PostgreSQL server in a temporary folder."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

PASSWORD = "s3cret/w:rd"  # noqa: S105 - of a server that lives as long as the test
USERS = ("postgres", "nobody")


def server_programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, from the PATH or from Debian's place."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folders = [*debian, *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in reversed(folders) if (folder / "pg_ctl").exists()), None)


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """Yield the URL of a server that listens on a socket only and needs a password."""
    with TemporaryDirectory(prefix="pg-") as name:  # short: a socket's path may have 107 characters
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(folder, _user())
            shutil.chown(folder / "password", _user())
        data = folder / "data"
        _run(
            folder,
            programs / "initdb",
            "-D",
            data,
            "-U",
            "tester",
            "-A",
            "scram-sha-256",
            "--pwfile",
            folder / "password",
            "-E",
            "UTF8",
            "--locale",
            "C",
            "-N",
        )
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c timezone=Asia/Tokyo"
        _run(folder, programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://tester:{quote(PASSWORD, safe='')}@/postgres?host={folder}"
        finally:
            _run(folder, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def _user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in USERS if name in names)


def _run(folder: Path, *command: str | Path) -> None:
    user = _user() if os.geteuid() == 0 else None  # the server refuses to run as root
    subprocess.run(
        [str(word) for word in command], check=True, cwd=folder, user=user, stdout=subprocess.DEVNULL, timeout=60
    )
