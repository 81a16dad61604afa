"""Outputs that lie in the working tree and belong to stages that the merge no longer has."""

import shutil
from pathlib import Path
from typing import Any

from ops.dvc.fingerprints import file_md5, folder_md5
from ops.dvc.stages import Pipeline
from ops.resolve.conflict import Conflict
from ops.revisions.git import lines_of
from ops.revisions.paths import inside, inside_any


def results_of_the_gone(pipeline: Pipeline, conflict: Conflict) -> list[str]:
    """Return the files that the merge brought in and that only a stage writes which it no longer has."""
    paths = list(_gone(pipeline, conflict))
    new = ["diff", "--cached", "--name-only", "--no-renames", "--diff-filter=A", "-z", "HEAD", "--"]
    return lines_of(*new, *paths, root=pipeline.root) if paths else []


def take_away_the_gone(pipeline: Pipeline, conflict: Conflict) -> None:
    """Remove the outputs of stages that are no more: a stage that reads the folder around them would take them for new.

    Only what is as a side recorded it is removed: it can be had again from that side's commit. What git keeps stays.
    """
    for path, recorded in _gone(pipeline, conflict).items():
        place = pipeline.root / path
        kept = lines_of("ls-files", "-z", "--", path, root=pipeline.root)
        if place.exists() and not kept and _fingerprint(place) in recorded:
            shutil.rmtree(place) if place.is_dir() else place.unlink()


def _gone(pipeline: Pipeline, conflict: Conflict) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for out in _recorded(conflict):
        path = str(out["path"])
        if not inside_any(path, pipeline.writers) and not any(inside(known, path) for known in pipeline.writers):
            found.setdefault(path, set()).add(str(out.get("md5", "")))
    return found


def _recorded(conflict: Conflict) -> list[dict[str, Any]]:
    return [out for side in conflict.sides for entry in side.entries.values() for out in entry.get("outs", [])]


def _fingerprint(place: Path) -> str:
    if place.is_file():
        return file_md5(place)
    files = [path for path in place.rglob("*") if path.is_file()]
    return folder_md5({path.relative_to(place).as_posix(): file_md5(path) for path in files})
