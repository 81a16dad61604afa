"""Copy this repository with small data into a temporary folder, and run commands there."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests import forks

ROOT = Path(__file__).parent.parent
# Small, fixed settings, champion, tasks and data, which replace the user's in a copy.
OWN = ROOT / "tests/own"
REPLACED = ("params.yaml", "champion.yaml", "tasks/", "data/source/", "lab/world/", "stages/world")
WORLD = ("world", "world_traffic")
QUIET = {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "HOME": os.environ.get("HOME", ""),
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@example.invalid",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@example.invalid",
    "DVC_NO_ANALYTICS": "true",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def copy_project(folder: Path, *, settings: Mapping[str, Any] | None = None) -> Path:
    """Return a committed copy of the repository with the tests' own tasks, without results and synthetic data."""
    for name, content in files_of_project().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        (folder / name).chmod((ROOT / name).stat().st_mode if (ROOT / name).exists() else 0o644)
    change_params(folder, settings or {})
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"], ["git", "commit", "--quiet", "-m", "start"]):
        run(command, cwd=folder)
    return folder


def files_of_project() -> dict[str, bytes]:
    """Return the files of a copy by path: the working tree without results, and the tests' own."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT).stdout.splitlines()
    left_out = ("metrics/", "plots/", "reports/", "dvc.lock", *REPLACED)
    kept = [name for name in listed if (ROOT / name).is_file() and not name.startswith(left_out)]
    files = {name: (ROOT / name).read_bytes() for name in kept}
    return {**files, "dvc.yaml": without_world(files["dvc.yaml"]), **files_below(OWN)}


def without_world(pipeline: bytes) -> bytes:
    """Return dvc.yaml without the stages of the synthetic world."""
    yaml = YAML()
    yaml.width = 120
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load(pipeline)
    for name in WORLD:
        content["stages"].pop(name, None)
    written = io.BytesIO()
    yaml.dump(content, written)
    return written.getvalue()


def change_params(folder: Path, settings: Mapping[str, Any]) -> None:
    """Set values in the folder's params.yaml by dotted names."""
    yaml = YAML()
    path = folder / "params.yaml"
    content = yaml.load(path.read_text())
    for name, value in settings.items():
        *parents, last = name.split(".")
        section = content
        for parent in parents:
            section = section[parent]
        section[last] = value
    with path.open("w") as stream:
        yaml.dump(content, stream)


def run(
    command: list[str], *, cwd: Path, check: bool = True, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command with a bare environment; a failure shows what it printed."""
    full = {**QUIET, **(environment or {})}
    if can_fork(command, full):
        command, full = [str(forks.commands() / command[0]), *command[1:]], {**full, **forking()}
    done = subprocess.run(command, cwd=cwd, env=full, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, f"{command} in {cwd}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def can_fork(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Return whether a command may be a fork of the process that has imported its libraries (tests/forks.py)."""
    known = command[0] == "dvc" or (command[:2] == ["python", "-m"] and command[2].split(".")[0] in {"ops", "stages"})
    return known and environment["PATH"] == QUIET["PATH"] and not forks.READ_AT_THE_START & environment.keys()


def forking() -> dict[str, str]:
    """Return the part of an environment in which `dvc` and `python` are forks where they can be."""
    return {"PATH": f"{forks.commands()}{os.pathsep}{QUIET['PATH']}"}


def stage(name: str, *, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run one stage script as dvc.yaml does, without DVC."""
    return run(["python", "-m", *f"stages.{name}".split()], cwd=cwd, check=check)


def lock_of(folder: Path) -> dict[str, Any]:
    """Return the stages of a folder's dvc.lock."""
    content: dict[str, Any] = YAML(typ="safe").load((folder / "dvc.lock").read_text())
    stages: dict[str, Any] = content["stages"]
    return stages


def files_below(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its path from there."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts[:1]
    }
