"""Precompute what every call of a compiled model would compute again."""

from collections.abc import Mapping
from typing import Any

from lab.compiled.crossings import quick_scorer_of
from lab.compiled.parts import Arrays
from lab.compiled.preparation import places_of
from lab.compiled.trees import trees_of


def precompute(part: Any, arrays: Arrays) -> Any:
    """Return a faster form of a program with bit-identical results; it exists in memory only."""
    if isinstance(part, list):
        return [precompute(each, arrays) for each in part]
    if not isinstance(part, Mapping):
        return part
    made = {name: precompute(each, arrays) for name, each in part.items()}
    if "deepest" in part:
        made["crossings"] = quick_scorer_of(trees_of(part, arrays))
    if part.get("kind") in {"few_levels", "many_levels"}:
        made["places"] = places_of(part)
    return made
