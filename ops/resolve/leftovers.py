"""Outputs in the working tree of stages that the merge no longer has."""

import shutil
from pathlib import Path
from typing import Any

from ops.dvc.fingerprints import file_md5, folder_md5
from ops.dvc.stages import Pipeline
from ops.resolve.conflict import Conflict
from ops.revisions.git import lines_of
from ops.revisions.paths import inside, inside_any


def leftover_results(pipeline: Pipeline, conflict: Conflict) -> list[str]:
    """Return the files that the merge added and that only a removed stage writes."""
    paths = list(_leftovers(pipeline, conflict))
    new = ["diff", "--cached", "--name-only", "--no-renames", "--diff-filter=A", "-z", "HEAD", "--"]
    return lines_of(*new, *paths, root=pipeline.root) if paths else []


def remove_leftovers(pipeline: Pipeline, conflict: Conflict) -> None:
    """Remove outputs of removed stages: a stage that reads their folder would read them as new.

    Only what equals a side's record is removed: that side's commit still has it. What git tracks stays.
    """
    for path, recorded in _leftovers(pipeline, conflict).items():
        place = pipeline.root / path
        kept = lines_of("ls-files", "-z", "--", path, root=pipeline.root)
        if place.exists() and not kept and _fingerprint(place) in recorded:
            shutil.rmtree(place) if place.is_dir() else place.unlink()


def _leftovers(pipeline: Pipeline, conflict: Conflict) -> dict[str, set[str]]:
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
