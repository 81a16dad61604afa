"""Run an experiment in a private clone that shares the project's cache."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from ops.dvc.config import cache_folder, read_config, write_local_config
from ops.repro.commands import Commands
from ops.revisions.git import git
from ops.sweep.settings import Run

FOLDER = Path(".dvc/tmp/sweep")
PREFIX = "clone-"
KEPT = ("type", "shared")  # settings of the cache that a clone needs

OnLine = Callable[[str], None]


def run_in_clone(run: Run, *, base: str, project: Path, commands: Commands, on_line: OnLine) -> None:
    """Run an experiment on the base commit in a clone, and fetch it into the project; remove the clone.

    A failing command raises CommandFailedError. The clone shares git's objects.
    """
    (project / FOLDER).mkdir(parents=True, exist_ok=True)
    # A unique name, because commands of a killed sweep may still run.
    clone = Path(mkdtemp(prefix=PREFIX, dir=project / FOLDER))
    try:
        _make(clone, base=base, project=project)
        # The run derives what the cache lacks.
        _dvc(["checkout", "--quiet", "--allow-missing"], clone, commands, on_line)
        settings = [word for override in run.overrides for word in ("--set-param", override)]
        _dvc(["exp", "run", "--name", run.name, *settings], clone, commands, on_line)
        reference = reference_of(run.name, base=base)
        git(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            str(clone),
            f"+{reference}:{reference}",
            root=project,
        )
    finally:
        shutil.rmtree(clone, ignore_errors=True)


def clear(project: Path) -> None:
    """Remove the clones that a killed sweep left behind."""
    for clone in (project / FOLDER).glob(f"{PREFIX}*"):
        shutil.rmtree(clone, ignore_errors=True)


def reference_of(name: str, *, base: str) -> str:
    """Return git's name of a DVC experiment."""
    return f"refs/exps/{base[:2]}/{base[2:]}/{name}"


def _make(clone: Path, *, base: str, project: Path) -> None:
    git("clone", "--quiet", "--shared", "--no-checkout", str(project), str(clone), root=project)
    git("checkout", "--quiet", "--detach", base, root=clone)
    for key in ("user.name", "user.email"):
        found = git("config", "--get", key, root=project, check=False).stdout.decode().strip()
        if found:
            git("config", key, found, root=clone)
    _share_cache(clone, project)


def _share_cache(clone: Path, project: Path) -> None:
    """Give the clone the project's cache, and nothing else: a remote's password must not be copied."""
    found = read_config(project)["cache"]
    kept = {
        key: ",".join(value) if isinstance(value := found[key], list) else str(value) for key in KEPT if key in found
    }
    write_local_config(clone, cache={**kept, "dir": str(cache_folder(project))}, remotes={})


def _dvc(arguments: list[str], clone: Path, commands: Commands, on_line: OnLine) -> None:
    commands.run(["dvc", *arguments], folder=clone, environment=os.environ, on_line=on_line)
