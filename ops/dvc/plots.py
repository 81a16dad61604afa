"""Collect DVC's plots of revisions as Vega-Lite specifications and images."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.render.match import RendererWithErrors, match_defs_renderers
from dvc_render.exceptions import DvcRenderError

from ops.dvc.repository import open_repository
from ops.revisions.git import content_at, lines_of

TEMPLATES = ".dvc/plots"
WORKSPACE = "workspace"  # DVC's name of the working tree


class PlotsError(Exception):
    """DVC cannot read the plots of a revision."""


@dataclass(frozen=True)
class Plot:
    """One plot: a Vega-Lite specification, or images (revision, data URI); notes say what is missing in it."""

    name: str
    specification: dict[str, Any] | None = None
    images: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def plots_of(revisions: Sequence[str], *, root: Path) -> list[Plot]:
    """Return the plots of all revisions, by the templates of the last revision that has each."""
    with tempfile.TemporaryDirectory() as folder:
        for revision in revisions:
            for name, content in _templates(revision, root):
                (Path(folder) / name).write_bytes(content)
        try:
            with open_repository(root) as repository:
                data = repository.plots.show(revs=list(revisions))
            failed = [f"{name}: {found['definitions']['error']}" for name, found in data.items() if _has_error(found)]
            if failed:
                raise PlotsError("; ".join(failed))
            found = [_plot(each) for each in match_defs_renderers(data, templates_dir=folder)]
        except (DvcException, DvcRenderError) as error:
            raise PlotsError(str(error)) from error
    return [each for each in found if each.specification or each.images or each.notes]


def _has_error(found: dict[str, Any]) -> bool:
    return bool(found.get("definitions", {}).get("error"))


def _templates(revision: str, root: Path) -> Iterator[tuple[str, bytes]]:
    if revision == WORKSPACE:
        yield from ((path.name, path.read_bytes()) for path in (root / TEMPLATES).glob("*.json"))
        return
    for path in lines_of("ls-tree", "--name-only", revision, f"{TEMPLATES}/", root=root):
        if path.endswith(".json"):
            yield Path(path).name, content_at(revision, path, root=root) or b""


def _plot(found: RendererWithErrors) -> Plot:
    renderer = found.renderer
    lost = [f"{revision}: {error}" for revision, error in found.definition_errors.items()]
    lost += [
        f"{revision}: {path}: {error}" for revision, by in found.source_errors.items() for path, error in by.items()
    ]
    if renderer.TYPE == "image":
        return Plot(renderer.name, images=tuple((str(at["rev"]), str(at["src"])) for at in renderer.datapoints))
    try:
        return Plot(renderer.name, renderer.get_filled_template() or None, notes=tuple(lost))
    except DvcRenderError as error:
        return Plot(renderer.name, notes=(*lost, str(error)))
