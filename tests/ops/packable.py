"""A repository with two small, registered models that can be packed."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.project import run
from tests.serving.served import model_folder

VARIANTS = {1: "logistic_regression", 2: "naive_bayes"}
PIPELINE = """\
stages:
  champion:
    cmd: mkdir -p models data/task && cp -r fitted models/champion && cp fitted/words.json data/task
    deps: [fitted]
    outs: [models/champion, data/task/words.json]
"""


def packable(folder: Path) -> Path:
    """Return a repository of one's own: v1 is in production, v2 is registered, and HEAD is v2's commit."""
    shutil.copytree(_made(), folder)
    return folder


@cache
def _made() -> Path:
    """Return the folder that the others are copies of, made once a process."""
    base = Path(mkdtemp(prefix="packable-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    folder = base / "repository"
    folder.mkdir()
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder)
    run(["dvc", "init", "--quiet"], cwd=folder)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "params.yaml").write_text("task: churn\n")
    (folder / ".gitignore").write_text("/served\n/models\n/data\n")
    for number, variant in VARIANTS.items():
        _put(model_folder(base / f"v{number}", variant).resolve(), folder / "fitted")
        run(["dvc", "repro", "--quiet"], cwd=folder)
        run(["git", "add", "--all"], cwd=folder)
        run(["git", "commit", "--quiet", "-m", f"Version {number}"], cwd=folder)
        tag(folder, f"churn@v{number}.0.0", "HEAD")
    assign(folder, "production", version=1)
    return folder


def assign(folder: Path, stage: str, *, version: int) -> None:
    """Put a version into a stage, as a promotion and a rollback do in the end."""
    known = run(["git", "tag", "--list", "churn#*"], cwd=folder).stdout.split()
    tag(folder, f"churn#{stage}#{len(known) + 1}", f"churn@v{version}.0.0^{{}}")


def tag(folder: Path, name: str, commit: str) -> None:
    run(["git", "tag", "--annotate", name, "--message", name, commit], cwd=folder)


def _put(model: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(model, place)
    (place / "words.json").write_text("{}")
