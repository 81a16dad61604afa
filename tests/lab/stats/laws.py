"""Changes of data that must not change a statistic, as checks."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Check = Callable[[], None]
Call = Callable[..., Any]

ENDS = (("low", "high"), ("g_low", "g_high"), ("corrected_low", "corrected_high"))
TURNED = ("difference", "z", "t", "statistic", "effect", "d", "g")
CLEAR_OF_UNITS = ("p_value", "z", "t", "statistic", "degrees", "u", "h", "superiority", "effect", "d", "g", "reason")


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return every number and word of a result by the way to it."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        parts = [(f"{path}.{name}", item) for name, item in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}[{place}]", item) for place, item in enumerate(value)]
    else:
        return {path: value}
    return {name: leaf for way, item in parts for name, leaf in leaves(item, way).items()}


def near(one: Any, two: Any) -> bool:
    if isinstance(one, float | np.floating) and isinstance(two, float | np.floating | int):
        return math.isclose(one, two, rel_tol=1e-8, abs_tol=1e-9)
    return bool(one == two)


def turned(value: Any) -> Any:
    return None if value is None else -value


def same(one: Any, two: Any) -> None:
    first, second = leaves(one), leaves(two)
    assert first, "nothing was compared"
    assert first.keys() == second.keys()
    wrong = {name: (first[name], second[name]) for name in first if not near(first[name], second[name])}
    assert not wrong, wrong


def reordered(call: Call, *columns: Any) -> Check:
    """Return the check that the order of the rows does not matter."""

    def check() -> None:
        order = np.random.default_rng(23).permutation(len(columns[0]))
        same(call(*columns), call(*([column[place] for place in order] for column in columns)))

    return check


def unchanged(call: Call, one: Sequence[Any], *others: Sequence[Any]) -> Check:
    """Return the check that other arguments give the same answer."""

    def check() -> None:
        for other in others:
            same(call(*one), call(*other))

    return check


def swapped(call: Call, first: Any, second: Any) -> Check:
    """Return the check that swapping two arms turns the sign of what has one, and leaves the p-value."""

    def check() -> None:
        forth, back = leaves(call(first, second)), leaves(call(second, first))
        for name in TURNED:
            if f".{name}" in forth:
                assert near(forth[f".{name}"], turned(back[f".{name}"])), name
        for low, high in ENDS:
            if f".{low}" in forth:
                assert near(forth[f".{low}"], turned(back[f".{high}"])), low
        assert near(forth.get(".p_value"), back.get(".p_value"))

    return check


def mirrored(call: Call, first: Any, second: Any, *, to: float = 0.0) -> Check:
    """Return the check that swapping two arms mirrors an interval, or a number, at 0, or at another point."""

    def check() -> None:
        forth, back = list(leaves(call(first, second)).values()), list(leaves(call(second, first)).values())
        same(forth, [2 * to - value for value in back[::-1]])

    return check


def symmetric(call: Call, first: Any, second: Any) -> Check:
    """Return the check that swapping two arms changes nothing."""
    return unchanged(call, (first, second), (second, first))


def freed(call: Call, *columns: Any, factor: float = 3.0, shift: float = 7.0) -> Check:
    """Return the check that other units, and another origin, leave what has none."""

    def check() -> None:
        moved = [np.asarray(column) * factor + shift for column in columns]
        before, after = leaves(call(*columns)), leaves(call(*moved))
        compared = [name for name in before if name.rsplit(".", 1)[-1].split("[")[0] in CLEAR_OF_UNITS]
        assert compared, "nothing was compared"
        wrong = {name: (before[name], after[name]) for name in compared if not near(before[name], after[name])}
        assert not wrong, wrong

    return check


def twice(call: Call, *columns: Any) -> Check:
    """Return the check that every row counted twice leaves the answer."""
    return unchanged(call, columns, [[item for item in column for _ in range(2)] for column in columns])


def at_least(call: Call, *points: Sequence[Any]) -> Check:
    """Return the check that a number never falls along the points."""

    def check() -> None:
        values = [call(*point) for point in points]
        assert all(one <= two + 1e-12 for one, two in pairwise(values)), values
        assert values[0] < values[-1]

    return check


def between(call: Call, *points: Sequence[Any], low: float = 0.0, high: float = 1.0) -> Check:
    """Return the check that every number of the answers lies between two."""

    def check() -> None:
        for point in points:
            numbers = [value for value in leaves(call(*point)).values() if isinstance(value, float)]
            assert numbers
            assert all(low <= number <= high for number in numbers), (point, numbers)

    return check


def gives(call: Call, arguments: Sequence[Any], expected: Any) -> Check:
    """Return the check of one answer that is known beforehand."""
    return lambda: same(call(*arguments), expected)
