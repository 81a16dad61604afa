"""Which plots exist, and which changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.revisions.files import ChangedFile, changed_files, files_at
from ops.revisions.snapshot import Snapshot

FOLDERS = ("plots", "reports")


@dataclass(frozen=True)
class Plots:
    """The head's plots by name, those of them whose points changed, and every changed file of points or reports."""

    names: tuple[str, ...]
    changed: tuple[str, ...]
    files: tuple[ChangedFile, ...]


def plots_of(base: Snapshot, head: Snapshot) -> Plots:
    """Return how the plots differ; a changed template changes no points."""
    files = changed_files(files_at(base, *FOLDERS), files_at(head, *FOLDERS))
    drawn, moved = _drawn(head.yaml("dvc.yaml") or {}), {each.path for each in files}
    return Plots(tuple(drawn), tuple(name for name, paths in drawn.items() if paths & moved), files)


def _drawn(pipeline: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the files of each plot; a plot without axes is its own file."""
    entries = [entry for entry in pipeline.get("plots", []) if isinstance(entry, Mapping)]
    return {str(name): _files(str(name), body) for entry in entries for name, body in entry.items()}


def _files(name: str, body: object) -> set[str]:
    axes = [body.get(axis) for axis in ("x", "y")] if isinstance(body, Mapping) else []
    return {str(path) for axis in axes if isinstance(axis, Mapping) for path in axis} or {name}
