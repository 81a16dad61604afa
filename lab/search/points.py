"""Points of a search space: all of a grid, or random ones without repetition."""

import itertools
import json
import math
from collections.abc import Collection, Mapping

import numpy as np

from lab.model_files.specification import Setting
from lab.search.space import Dimension, Point, Range, Space

DIGITS = 4  # of numbers in points: hides differences of logarithms between processors
MOST_LISTED = 10_000
TRIES = 20


def key_of(point: Point) -> str:
    """Return a text that is equal for equal points: 1 is 1.0, but true is not 1.

    >>> key_of({"trees": 20, "penalty": 1.0}) == key_of({"penalty": 1, "trees": 20.0})
    True
    """
    return json.dumps(_plain(point), sort_keys=True)


def restrict(space: Space, point: Point) -> Point:
    """Return a point's values of the settings in the space, sorted by name."""
    return {name: point[name] for name in sorted(space)}


def grid_of(space: Space) -> list[Point]:
    """Return every point of the grid once, in the order of the sorted names; the last setting varies fastest."""
    names = sorted(space)
    combined = itertools.product(*(grid_values(space[name]) for name in names))
    points: list[Point] = [dict(zip(names, values, strict=True)) for values in combined]
    return list({key_of(point): point for point in reversed(points)}.values())[::-1]


def grid_values(dimension: Dimension) -> list[Setting]:
    """Return the grid values of one setting: the choices, or evenly spaced numbers.

    >>> grid_values(Range(low=0.01, high=1.0, scale="log"))
    [0.01, 0.1, 1.0]
    """
    if not isinstance(dimension, Range):
        return list(dimension)
    spread = np.geomspace if dimension.scale == "log" else np.linspace
    return [within(dimension, number) for number in spread(dimension.low, dimension.high, dimension.points).tolist()]


def within(numbers: Range, number: float) -> int | float:
    """Return a number in the form that is tried: integer or four digits, inside the range."""
    near = round(number) if numbers.whole else float(f"{number:.{DIGITS}g}")
    return min(max(near, numbers.low), numbers.high)


def size_of(space: Space) -> int | None:
    """Return the number of distinct points of a space, None where a range has fractions."""
    sizes = [_size(dimension) for dimension in space.values()]
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def draw(space: Space, count: int, *, rng: np.random.Generator, without: Collection[str]) -> list[Point]:
    """Return random points that differ from one another and from the given keys.

    Latin hypercube sampling: points are spread evenly over each setting (McKay, Beckman and Conover, 1979,
    Technometrics 21). A small space can give fewer points.
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
    """Return points of which each setting has one in each of `count` equal parts."""
    places = {name: ((rng.permutation(count) + rng.random(count)) / max(1, count)).tolist() for name in sorted(space)}
    return [{name: _value_at(space[name], places[name][number]) for name in places} for number in range(count)]


def _value_at(dimension: Dimension, place: float) -> Setting:
    """Return the value at a position from 0 to 1."""
    if not isinstance(dimension, Range):
        return dimension[int(place * len(dimension))]
    rim = 0.5 if dimension.whole else 0.0  # each integer, also at the ends, has width 1
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
