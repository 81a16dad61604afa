"""Make a small project with three revisions of a whole DAG run, shared by tests."""

import fcntl
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.project import change_params, copy_project, files_below, files_of_project, run

# One poor candidate: a tree of depth 1.
STUMP = {"estimator": "decision_tree", "settings": {"deepest": 1}, "search": {"method": "none"}}
WORSE = {"train.candidates": {"stump": STUMP}}
# A small change of one setting, which changes some scores slightly.
OTHER = {
    "train.candidates.boosting.settings.learning_rate": 0.07,
    "train.candidates.boosting.search": {"method": "none"},
}


def history_of(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the project with a history; it is shared, so change copies only.

    Branch main, tag `first`: the defaults on a small world. Branch `worse`: one poor candidate. Branch `other`: a small
    change. Every object is in the cache and in the default remote. The folder's name is a hash of its inputs, so that a
    folder in LAB_TEST_CACHE, which is kept between runs, is never out of date.
    """
    kept = os.environ.get("LAB_TEST_CACHE")
    base = Path(kept) if kept else factory.getbasetemp().parent
    base.mkdir(parents=True, exist_ok=True)
    with (base / "history.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fresh = copy_project(factory.mktemp("history") / "project")
        folder = base / f"history-{_fingerprint(fresh)}"
        if not folder.is_dir():
            _run_all(fresh)
            shutil.move(fresh, folder)
    return folder


def copy_of_history(factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Return a private copy of the project with a history, cache and remote included."""
    shutil.copytree(history_of(factory), folder, symlinks=True)
    _update_files(folder)
    return folder


def commit_all(folder: Path, message: str) -> None:
    """Commit every change and every new file, or an empty commit."""
    run(["git", "add", "--all"], cwd=folder)
    run(["git", "commit", "--quiet", "--allow-empty", "-m", message], cwd=folder)


def _update_files(folder: Path) -> None:
    """Commit the files of the working tree that a cached history may have in an older version."""
    for name, content in files_of_project().items():
        target = folder / name
        if name != "params.yaml" and not (target.is_file() and target.read_bytes() == content):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    if run(["git", "status", "--porcelain"], cwd=folder).stdout:
        commit_all(folder, "Update the files")


def _run_all(folder: Path) -> None:
    run(["git", "branch", "--move", "main"], cwd=folder)
    run(["dvc", "repro", "--quiet"], cwd=folder)
    commit_all(folder, "Run the DAG")
    run(["git", "tag", "first"], cwd=folder)
    for branch, settings in (("worse", WORSE), ("other", OTHER)):
        run(["git", "checkout", "--quiet", "-b", branch, "main"], cwd=folder)
        run(["dvc", "checkout", "--quiet"], cwd=folder)
        change_params(folder, settings)
        if settings is WORSE:
            for kept in ("models/candidates", "metrics/train", "plots/train"):
                shutil.rmtree(folder / kept)  # of candidates that are no longer in params.yaml
        run(["dvc", "repro", "--quiet"], cwd=folder)
        commit_all(folder, f"Run the DAG: {branch}")
        run(["dvc", "push", "--quiet"], cwd=folder)
    run(["git", "checkout", "--quiet", "main"], cwd=folder)
    run(["dvc", "checkout", "--quiet"], cwd=folder)
    run(["dvc", "push", "--quiet"], cwd=folder)


def _fingerprint(folder: Path) -> str:
    seen = hashlib.sha256()
    for name, content in files_below(folder).items():
        if name.startswith(("lab/", "stages/", "tasks/", "data/", "params.yaml", "dvc.yaml", "champion.yaml")):
            seen.update(f"{name}\0{len(content)}\0".encode())
            seen.update(content)
    seen.update(Path(__file__).read_bytes())
    return seen.hexdigest()[:16]
