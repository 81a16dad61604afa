"""Work out once what every call of a compiled model would else work out anew."""

from collections.abc import Mapping
from typing import Any

from lab.compiled.crossings import crossings_of
from lab.compiled.parts import Arrays
from lab.compiled.preparation import places_of
from lab.compiled.trees import trees_of


def ready(part: Any, arrays: Arrays) -> Any:
    """Return a part of a program that answers sooner, with the same bits; it is for this process, not for a file."""
    if isinstance(part, list):
        return [ready(each, arrays) for each in part]
    if not isinstance(part, Mapping):
        return part
    made = {name: ready(each, arrays) for name, each in part.items()}
    if "deepest" in part:
        made["crossings"] = crossings_of(trees_of(part, arrays))
    if part.get("kind") in {"few_levels", "many_levels"}:
        made["places"] = places_of(part)
    return made
