"""A copy of this repository with a small world, in a temporary folder with a git history of its own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
# Small enough that the whole DAG runs in half a minute.
SMALL = {
    "ingest.customers": 500,
    "train.search.budget": 8,
    "train.candidates.forest.settings.trees": 20,
    "train.candidates.forest.search.budget": 5,
    "train.candidates.boosting.settings.trees": 20,
    "train.learning_curve": [0.3],
    "evaluate.resamples": 200,
    "explain.reference_rows": 200,
    "explain.shuffles.rows": 200,
    "explain.dependence.rows": 50,
    "validate.champion.resamples": 200,
    "abtest.resamples": 1000,
}
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


def copy_project(folder: Path, *, settings: Mapping[str, Any] = SMALL) -> Path:
    """Return a committed copy of the repository as it stands in the working tree, data and results left out."""
    for name in listed_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    change_params(folder, settings)
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"], ["git", "commit", "--quiet", "-m", "start"]):
        run(command, cwd=folder)
    return folder


def listed_files() -> list[str]:
    """Return the files of the working tree that git knows or would take up, results left out."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT).stdout.splitlines()
    results = ("metrics/", "plots/", "reports/", "dvc.lock")
    return [name for name in listed if (ROOT / name).is_file() and not name.startswith(results)]


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
    done = subprocess.run(
        command, cwd=cwd, env={**QUIET, **(environment or {})}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or not check, f"{command} in {cwd}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def heed_interrupts() -> None:
    """Let a process hear Ctrl-C, before it starts: one below a shell's background job inherits that it does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


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
