"""Bring what is new into the clone, at a place from which a killed run is gone on with."""

import shutil
from pathlib import Path

from lab.core.atomic_outputs import FILE_MODE
from lab.core.errors import LabError
from ops.retrain.request import Request
from ops.retrain.settings import changed_settings
from ops.retrain.staging import asked, reproduce
from ops.retrain.workplace import Workplace
from ops.revisions.git import git
from ops.revisions.snapshot import WORKSPACE, Snapshot

SOURCES = Path("data/source")
PARAMS = Path("params.yaml")
RAW = "data/raw"
# What the newest rows are judged with before anything is trained.
MODEL, REFERENCE = "models/champion", "models/reference"
REQUEST = "request"


def bring_in(request: Request, work: Workplace) -> None:
    """Make the clone ready, with the base's reference and champion, the new settings and the new files."""
    if work.noted(REQUEST) == request.fingerprint and _is_sound(work):
        work.tell("goes on with what a run that was broken off has done")
        work.unlock()
        return
    work.make(request.base)
    _bring_judges(work)
    _place(request, work)
    work.note(REQUEST, request.fingerprint)


def drawn_by(request: Request, work: Workplace) -> str:
    """Return the fingerprint of the raw tables where a database was asked for them; else nothing is added."""
    return Snapshot(WORKSPACE, None, work.tree).lock["ingest"].outputs[RAW].md5 if request.asks_source else ""


def _is_sound(work: Workplace) -> bool:
    try:
        return bool(Snapshot(WORKSPACE, None, work.tree).lock)
    except LabError:  # dvc.lock was being written
        return False


def _bring_judges(work: Workplace) -> None:
    """Check out the base's reference and champion, from cache or remote; where neither has them, derive them."""
    outcome = work.run("dvc", "pull", "--quiet", REFERENCE, MODEL)
    if outcome.code:
        work.tell("neither the cache nor the remote has the base's reference and champion: derives them")
        reproduce(work, "reference", "champion")


def _place(request: Request, work: Workplace) -> None:
    params = work.tree / PARAMS
    params.write_bytes(changed_settings(params.read_bytes(), request.settings))
    folder = work.tree / SOURCES / request.task
    tracked = folder.with_name(f"{folder.name}.dvc")
    if tracked.is_file():
        asked(work, "dvc", "pull", str(tracked.relative_to(work.tree)))
    for place, path in request.arrivals.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).unlink(missing_ok=True)  # DVC may have linked it to the cache
        shutil.copyfile(path, folder / place)
        (folder / place).chmod(FILE_MODE)
    if tracked.is_file() and request.arrivals:
        asked(work, "dvc", "add", str(folder.relative_to(work.tree)))
    git("add", "--all", root=work.tree)
