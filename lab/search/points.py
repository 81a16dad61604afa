"""The points of a space: all of a grid, or some by chance, each point once."""

import itertools
import json
import math
from collections.abc import Collection, Mapping

import numpy as np

from lab.model_files.specification import Setting
from lab.search.space import Dimension, Point, Range, Space

DIGITS = 4  # of a number that is tried: the last bits of another processor's logarithm then change nothing
MOST_LISTED = 10_000
TRIES = 20


def key_of(point: Point) -> str:
    """Return a text that is equal for equal points: 1 is 1.0, but true is not 1.

    >>> key_of({"trees": 20, "penalty": 1.0}) == key_of({"penalty": 1, "trees": 20.0})
    True
    """
    return json.dumps(_plain(point), sort_keys=True)


def only(space: Space, point: Point) -> Point:
    """Return of a point what the space names, in the order of the names."""
    return {name: point[name] for name in sorted(space)}


def grid_of(space: Space) -> list[Point]:
    """Return every point of the grid, each once; the settings turn in the order of their names, the last quickest."""
    names = sorted(space)
    combined = itertools.product(*(grid_values(space[name]) for name in names))
    points: list[Point] = [dict(zip(names, values, strict=True)) for values in combined]
    return list({key_of(point): point for point in reversed(points)}.values())[::-1]


def grid_values(dimension: Dimension) -> list[Setting]:
    """Return the values of a grid in one setting: the choices, or so many numbers from end to end.

    >>> grid_values(Range(low=0.01, high=1.0, scale="log"))
    [0.01, 0.1, 1.0]
    """
    if not isinstance(dimension, Range):
        return list(dimension)
    spread = np.geomspace if dimension.scale == "log" else np.linspace
    return [within(dimension, number) for number in spread(dimension.low, dimension.high, dimension.points).tolist()]


def within(numbers: Range, number: float) -> int | float:
    """Return a number as it is tried: whole in a whole range, else of four digits, and never outside."""
    near = round(number) if numbers.whole else float(f"{number:.{DIGITS}g}")
    return min(max(near, numbers.low), numbers.high)


def size_of(space: Space) -> int | None:
    """Return how many points there are besides those that a grid takes; None where numbers need not be whole."""
    sizes = [_size(dimension) for dimension in space.values()]
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def draw(space: Space, count: int, *, rng: np.random.Generator, without: Collection[str]) -> list[Point]:
    """Return so many points by chance that differ from one another and from those whose keys are given.

    They spread evenly over each setting by itself (McKay, Beckman and Conover, 1979, Technometrics 21). They are fewer
    where the space has no more, or hardly any.
    """
    found: dict[str, Point] = {}
    for _ in range(TRIES):
        fresh = [point for point in _spread(space, count - len(found), rng) if key_of(point) not in without]
        found.update({key_of(point): point for point in fresh if key_of(point) not in found})
    size = size_of(space)
    if len(found) < count and size is not None and size <= MOST_LISTED:
        listed = grid_of({name: _listed(dimension) for name, dimension in space.items()})
        rest = [point for point in listed if key_of(point) not in {*without, *found}]
        return [*found.values(), *(rest[place] for place in rng.permutation(len(rest))[: count - len(found)].tolist())]
    return list(found.values())


def _size(dimension: Dimension) -> int | None:
    if not isinstance(dimension, Range):
        return len({key_of({"": value}) for value in dimension})
    return int(dimension.high - dimension.low) + 1 if dimension.whole else None


def _listed(dimension: Dimension) -> list[Setting]:
    if not isinstance(dimension, Range):
        return list(dimension)
    return list(range(int(dimension.low), int(dimension.high) + 1))


def _spread(space: Space, count: int, rng: np.random.Generator) -> list[Point]:
    """Return points of which, in each setting, one lies in each of so many equal parts."""
    places = {name: ((rng.permutation(count) + rng.random(count)) / max(1, count)).tolist() for name in sorted(space)}
    return [{name: _value_at(space[name], places[name][number]) for name in places} for number in range(count)]


def _value_at(dimension: Dimension, place: float) -> Setting:
    """Return the value at a place from 0 to 1."""
    if not isinstance(dimension, Range):
        return dimension[int(place * len(dimension))]
    rim = 0.5 if dimension.whole else 0.0  # each whole number, those at the ends too, has a unit's width
    low, high = dimension.low - rim, dimension.high + rim
    if dimension.scale == "log":
        return within(dimension, low * math.exp(place * math.log(high / low)))
    return within(dimension, low + place * (high - low))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
