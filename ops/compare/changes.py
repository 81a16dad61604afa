"""What differs between two nested mappings, each difference under its dotted name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class Change:
    """What differs under a name; `old` is None where it was added, `new` is None where it was removed."""

    name: str
    kind: Kind
    old: Any
    new: Any


def changes(old: object, new: object, *, name: str = "") -> tuple[Change, ...]:
    """Return the differences, by name; a whole mapping that one side lacks is one difference.

    >>> [(each.name, each.kind) for each in changes({"a": {"b": 1}}, {"a": {"b": 2, "c": {"d": 3}}})]
    [('a.b', 'changed'), ('a.c', 'added')]
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = sorted({str(key) for key in (*old, *new)})
        named = {str(key): key for key in (*old, *new)}
        return tuple(each for key in keys for each in _of_key(old, new, named[key], f"{name}.{key}".lstrip(".")))
    return () if in_one_line(old) == in_one_line(new) else (Change(name, "changed", old, new),)


def in_one_line(value: object) -> str:
    """Return a value as JSON in one line; whole numbers are equal to floats of the same size, as DVC has it.

    >>> in_one_line({"b": [1.0, True], "a": None})
    '{"a": null, "b": [1, true]}'
    """
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, default=str)


def _of_key(old: Mapping[Any, Any], new: Mapping[Any, Any], key: object, name: str) -> tuple[Change, ...]:
    if key not in old:
        return (Change(name, "added", None, new[key]),)
    if key not in new:
        return (Change(name, "removed", old[key], None),)
    return changes(old[key], new[key], name=name)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
