"""A small, quick DVC repository with one stage and a past."""

import hashlib
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.project import QUIET, ROOT, run
from tests.remotes.forked import Forks

VERSIONS = ("v1", "v2")
PARTS = 12
CHANGED = "table/part-07.csv"
SAME = "table/part-03.csv"
LAST = "table/part-11.csv"
MODEL = "model.bin"
MAKE = """from pathlib import Path

version = Path("version.txt").read_text().strip()
Path("table").mkdir(exist_ok=True)
for part in range(12):
    text = version if part == 7 else "the same"
    Path(f"table/part-{part:02}.csv").write_text(f"{part},{text}\\n" * 900)
Path("model.bin").write_text(f"{version}\\n" * 4000)
"""
PIPELINE = """stages:
  make:
    cmd: python make.py
    deps: [make.py, version.txt]
    outs: [model.bin, table]
"""
# Nothing of the machine's own configuration is read, and no metadata service is asked for credentials.
SEALED = {
    "AWS_EC2_METADATA_DISABLED": "true",
}


def content_of(path: str, version: str) -> bytes:
    """Return what a version has in an output file; written down apart from the script that makes it."""
    if path == MODEL:
        return f"{version}\n".encode() * 4000
    part = int(path[-6:-4])
    return f"{part},{version if part == 7 else 'the same'}\n".encode() * 900


def md5(content: bytes) -> str:
    """Return the name that DVC gives to these bytes."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def md5_of(path: str, version: str) -> str:
    """Return the MD5 of a version's output file."""
    return md5(content_of(path, version))


def outputs_of(version: str) -> dict[str, bytes]:
    """Return every output file of a version."""
    return {
        path: content_of(path, version) for path in (MODEL, *(f"table/part-{part:02}.csv" for part in range(PARTS)))
    }


def outputs_in(folder: Path) -> dict[str, bytes]:
    """Return the output files that are in a working copy."""
    found = [path for path in (folder / MODEL, *sorted((folder / "table").glob("*"))) if path.exists()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@dataclass(frozen=True)
class Toy:
    """A working copy whose commits are tagged v1 and v2, cache filled, and the bare repository it was pushed to."""

    folder: Path
    origin: Path
    home: Path
    forks: Forks

    def dvc(
        self, *arguments: str, environment: Mapping[str, str], cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run DVC here or in a clone; as in CI, there is no terminal."""
        done = self.forks.run(arguments, cwd=cwd or self.folder, environment=self.sealed(environment))
        assert done.returncode == 0 or not check, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def killed(self, *arguments: str, environment: Mapping[str, str], when: Callable[[], bool]) -> None:
        """Run DVC here and kill it as soon as something is reached."""
        done = self.forks.run(arguments, cwd=self.folder, environment=self.sealed(environment), until=when)
        assert done.returncode == -signal.SIGKILL, f"{arguments} ended by itself: {done}"

    def run(
        self, *command: str, environment: Mapping[str, str], cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run another command here or in a clone, as its own session: there is no terminal either."""
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.sealed(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            timeout=120,
        )
        assert done.returncode == 0 or not check, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def clone(self, folder: Path, revision: str = "main") -> Path:
        """Return a fresh clone of what was pushed to git."""
        run(["git", "clone", "--quiet", "--branch", revision, str(self.origin), str(folder)], cwd=self.home)
        return folder

    def copy(self, folder: Path) -> "Toy":
        """Return a copy of the working copy, to spoil."""
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("tmp"))
        return replace(self, folder=folder)

    def sealed(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return a bare environment with a home of its own, and what is added."""
        own = {"HOME": str(self.home), "DVC_SITE_CACHE_DIR": str(self.home / "site")}
        return {**QUIET, **SEALED, **own, **environment}


def with_config(folder: Path) -> Path:
    """Return the folder with the project's own configuration of DVC."""
    (folder / ".dvc").mkdir(parents=True)
    for name in (".dvc/config", ".dvc/.gitignore"):
        shutil.copy(ROOT / name, folder / name)
    assert "verify = true" in (folder / ".dvc/config").read_text()
    return folder


def template(folder: Path) -> Path:
    """Return a folder in which both versions were run once: cache, and a lock file for each."""
    with_config(folder)
    (folder / "make.py").write_text(MAKE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / ".gitignore").write_text("/model.bin\n/table\n")
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder)
    for version in VERSIONS:
        (folder / "version.txt").write_text(f"{version}\n")
        run(["dvc", "repro", "--quiet"], cwd=folder)
        shutil.copy(folder / "dvc.lock", folder / f".git/{version}.lock")
    return folder


def make_toy(folder: Path, made: Path, forks: Forks, *, commands: Iterable[list[str]]) -> Toy:
    """Return a toy whose remote was set up by these commands before its first version was tagged."""
    toy = Toy(folder / "work", folder / "origin.git", folder / "home", forks)
    toy.home.mkdir(parents=True)
    shutil.copytree(made, toy.folder, symlinks=True)
    shutil.rmtree(toy.folder / ".dvc/tmp", ignore_errors=True)
    for command in commands:
        assert command[0] == "dvc", command
        toy.dvc(*command[1:], environment={})
    for version in VERSIONS:
        (toy.folder / "version.txt").write_text(f"{version}\n")
        shutil.copy(toy.folder / f".git/{version}.lock", toy.folder / "dvc.lock")
        run(["git", "add", "--all"], cwd=toy.folder)
        run(["git", "commit", "--quiet", "-m", version], cwd=toy.folder)
        run(["git", "tag", version], cwd=toy.folder)
    run(["git", "clone", "--quiet", "--bare", ".", str(toy.origin)], cwd=toy.folder)
    return toy
