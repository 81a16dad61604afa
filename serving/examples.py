"""Build a typical row from training statistics, as example in the OpenAPI schema."""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.compiled.files import Compiled
from lab.compiled.parts import Arrays, Part
from lab.compiled.wording import ReferenceValues
from serving.arms import Arms
from serving.models import Kind, LoadedModel


def examples_of(arms: Arms) -> dict[str, Any]:
    """Return an example body for each path that takes rows."""
    features = typical_row(arms)
    return {
        "/predict": {"features": features},
        "/predict/batch": {"rows": [{"features": features}]},
        "/explain": {"features": features, "most": 3},
    }


def typical_row(arms: Arms) -> dict[str, Any]:
    """Return a typical value of each feature, None where the models have no statistic of it."""
    models = [model for model in (arms.challenger, arms.champion) if model is not None]  # the champion's values win
    known = {name: value for model in models for name, value in _typical(model).items()}
    row = {name: _as(kind, known.get(name)) for name, kind in arms.features.items()}
    whole = {name: round(row[name]) for name in arms.whole_numbers & {*row} if isinstance(row[name], float)}
    return {**row, **whole}


def _typical(model: LoadedModel) -> dict[str, Any]:
    if model.reasoner is not None:
        return {name: _middle(usual) for name, usual in model.reasoner.usual.items()}
    return dict(_training_statistics(model.compiled.program, model.compiled))


def _middle(usual: ReferenceValues) -> Any:
    """Return the median of a number, or the most frequent level of a category."""
    if usual.kind == "number":
        return usual.numbers[(len(usual.numbers) - 1) // 2].item() if len(usual.numbers) else None
    return max(usual.levels, key=lambda level: usual.levels[level]) if usual.levels else None


def _training_statistics(part: Any, compiled: Compiled) -> Iterator[tuple[str, Any]]:
    """Yield feature values that a program stores: medians for imputation, and first levels."""
    if isinstance(part, list):
        for each in part:
            yield from _training_statistics(each, compiled)
    elif isinstance(part, Mapping):
        for block in part.get("blocks", ()):
            yield from _levels(block) if "levels" in block else _medians(block, compiled.arrays)
        for inner in part.values():
            yield from _training_statistics(inner, compiled)


def _levels(block: Part) -> Iterator[tuple[str, Any]]:
    for name, levels in zip(block["features"], block["levels"], strict=True):
        yield name, next((level for level in levels if level is not None), None)


def _medians(block: Part, arrays: Arrays) -> Iterator[tuple[str, Any]]:
    for step in block.get("steps", ()):
        if step["kind"] == "impute":
            yield from zip(block["features"], arrays[step["medians"]].tolist(), strict=True)


def _as(kind: Kind, value: Any) -> Any:
    """Return a value as JSON; NaN (the median of a feature that is always missing) becomes None."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return None
    if kind == "boolean":
        return bool(value)
    return float(f"{value:.6g}") if kind == "number" else value
