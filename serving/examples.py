"""A typical row of this task, for the examples in the OpenAPI: what is usual among the training rows."""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.compiled.files import Compiled
from lab.compiled.parts import Arrays, Part
from lab.compiled.wording import Usual
from serving.arms import Lineup
from serving.models import Kind, Served


def examples_of(lineup: Lineup) -> dict[str, Any]:
    """Return a body for each path that asks for rows; null stands where nothing is known of a feature."""
    features = typical_row(lineup)
    return {
        "/predict": {"features": features},
        "/predict/batch": {"rows": [{"features": features}]},
        "/explain": {"features": features, "most": 3},
    }


def typical_row(lineup: Lineup) -> dict[str, Any]:
    """Return what is usual for every feature that may be asked for."""
    known = {name: value for served in _models(lineup) for name, value in _typical(served).items()}
    return {name: _as(kind, known.get(name)) for name, kind in lineup.features.items()}


def _models(lineup: Lineup) -> list[Served]:
    """Return the models, the champion last, whose word counts."""
    return [served for served in (lineup.challenger, lineup.champion) if served is not None]


def _typical(served: Served) -> dict[str, Any]:
    if served.reasoner is not None:
        return {name: _middle(usual) for name, usual in served.reasoner.usual.items()}
    return dict(_prepared_for(served.compiled.program, served.compiled))


def _middle(usual: Usual) -> Any:
    """Return the number in the middle, or the level that most rows have."""
    if usual.kind == "number":
        return usual.numbers[(len(usual.numbers) - 1) // 2].item() if len(usual.numbers) else None
    return max(usual.levels, key=lambda level: usual.levels[level]) if usual.levels else None


def _prepared_for(part: Any, compiled: Compiled) -> Iterator[tuple[str, Any]]:
    """Yield what a program knows of features: the medians that stand in for gaps, and the first of the levels."""
    if isinstance(part, list):
        for each in part:
            yield from _prepared_for(each, compiled)
    elif isinstance(part, Mapping):
        for block in part.get("blocks", ()):
            yield from _levels(block) if "levels" in block else _medians(block, compiled.arrays)
        for inner in part.values():
            yield from _prepared_for(inner, compiled)


def _levels(block: Part) -> Iterator[tuple[str, Any]]:
    for name, levels in zip(block["features"], block["levels"], strict=True):
        yield name, next((level for level in levels if level is not None), None)


def _medians(block: Part, arrays: Arrays) -> Iterator[tuple[str, Any]]:
    for step in block.get("steps", ()):
        if step["kind"] == "impute":
            yield from zip(block["features"], arrays[step["medians"]].tolist(), strict=True)


def _as(kind: Kind, value: Any) -> Any:
    """Return a value as a request writes it; NaN, the median of a feature that is missing in every row, is null."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return None
    if kind == "boolean":
        return bool(value)
    return float(f"{value:.6g}") if kind == "number" else value
