"""Bring new data and settings into the clone; a killed run resumes there."""

import shutil
from pathlib import Path

from lab.core.atomic_outputs import FILE_MODE
from lab.core.errors import LabError
from ops.retrain.request import Request
from ops.retrain.settings import changed_settings
from ops.retrain.staging import reproduce, run_checked
from ops.retrain.workplace import Workplace
from ops.revisions.git import git
from ops.revisions.snapshot import WORKSPACE, Snapshot

SOURCES = Path("data/source")
PARAMS = Path("params.yaml")
RAW = "data/raw"
# Needed to judge the newest rows before any training.
MODEL, REFERENCE = "models/champion", "models/reference"
REQUEST = "request"


def bring_in(request: Request, work: Workplace) -> None:
    """Prepare the clone: the base's reference and champion, the new settings and the new files."""
    if work.noted(REQUEST) == request.fingerprint and _is_sound(work):
        work.log("resumes an interrupted run")
        work.unlock()
        return
    work.make(request.base)
    _bring_models(work)
    _place(request, work)
    work.note(REQUEST, request.fingerprint)


def drawn_by(request: Request, work: Workplace) -> str:
    """Return the fingerprint of the raw tables if they come from a database, else an empty text."""
    return Snapshot(WORKSPACE, None, work.tree).lock["ingest"].outputs[RAW].md5 if request.asks_source else ""


def _is_sound(work: Workplace) -> bool:
    try:
        return bool(Snapshot(WORKSPACE, None, work.tree).lock)
    except LabError:  # a kill left dvc.lock half written
        return False


def _bring_models(work: Workplace) -> None:
    """Check out the base's reference and champion from cache or remote, or derive them."""
    outcome = work.run("dvc", "pull", "--quiet", REFERENCE, MODEL)
    if outcome.code:
        work.log("neither the cache nor the remote has the base's reference and champion: derives them")
        reproduce(work, "reference", "champion")


def _place(request: Request, work: Workplace) -> None:
    params = work.tree / PARAMS
    params.write_bytes(changed_settings(params.read_bytes(), request.settings))
    folder = work.tree / SOURCES / request.task
    tracked = folder.with_name(f"{folder.name}.dvc")
    if tracked.is_file():
        run_checked(work, "dvc", "pull", str(tracked.relative_to(work.tree)))
    for place, path in request.arrivals.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).unlink(missing_ok=True)  # DVC may have linked it to the cache
        shutil.copyfile(path, folder / place)
        (folder / place).chmod(FILE_MODE)
    if tracked.is_file() and request.arrivals:
        run_checked(work, "dvc", "add", str(folder.relative_to(work.tree)))
    git("add", "--all", root=work.tree)
