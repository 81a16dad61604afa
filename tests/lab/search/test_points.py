"""Points of grids and random points are unique and inside their space."""

import math

import numpy as np
import pytest

from lab.search.points import draw, grid_of, grid_values, key_of, size_of, within
from lab.search.space import Dimension, Range

RNG = np.random.default_rng


def test_a_grid_is_the_product_of_its_settings() -> None:
    assert grid_of({"b": [1, 2], "a": ["x", "y"]}) == [
        {"a": "x", "b": 1},
        {"a": "x", "b": 2},
        {"a": "y", "b": 1},
        {"a": "y", "b": 2},
    ]


def test_the_order_of_names_does_not_matter() -> None:
    one: dict[str, Dimension] = {"a": [1, 2], "b": Range(low=0.1, high=1.0)}
    other = dict(reversed(one.items()))
    assert grid_of(one) == grid_of(other)
    assert draw(one, 5, rng=RNG(1), without=()) == draw(other, 5, rng=RNG(1), without=())


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (Range(low=0.0, high=1.0), [0.0, 0.5, 1.0]),
        (Range(low=0.02, high=0.18, scale="log"), [0.02, 0.06, 0.18]),
        (Range(low=1, high=25, scale="log"), [1, 5, 25]),
        (Range(low=1, high=3, points=5), [1, 2, 2, 2, 3]),
        (Range(low=0.123456, high=0.987654, points=2), [0.1235, 0.987654]),
    ],
)
def test_a_range_is_divided_evenly_by_its_scale(numbers: Range, expected: list[float]) -> None:
    assert grid_values(numbers) == expected
    assert [type(value) for value in grid_values(numbers)] == [type(value) for value in expected]


def test_equal_whole_numbers_are_one_point() -> None:
    assert grid_of({"trees": Range(low=1, high=3, points=5)}) == [{"trees": 1}, {"trees": 2}, {"trees": 3}]


def test_true_is_not_one_but_one_is_one() -> None:
    assert key_of({"a": True}) != key_of({"a": 1})
    assert key_of({"a": [1, {"b": 2.0}]}) == key_of({"a": [1.0, {"b": 2}]})
    assert key_of({"a": None}) != key_of({"a": "null"})


@pytest.mark.parametrize(
    ("space", "size"),
    [
        ({"a": [1, 1.0, 2], "b": Range(low=1, high=10)}, 20),
        ({"a": [1, 2], "b": Range(low=0.1, high=10)}, None),
        ({}, 1),
    ],
)
def test_the_size_counts_every_point_once(space: dict[str, Dimension], size: int | None) -> None:
    assert size_of(space) == size


def test_all_points_of_a_finite_space_can_be_drawn() -> None:
    space: dict[str, Dimension] = {"a": ["x", "y"], "b": Range(low=1, high=5)}
    drawn = draw(space, 100, rng=RNG(1), without={key_of({"a": "x", "b": 1})})
    assert len(drawn) == len({key_of(point) for point in drawn}) == 9
    assert {"a": "x", "b": 1} not in drawn


def test_an_endless_space_gives_new_points_within_it() -> None:
    space: dict[str, Dimension] = {"a": Range(low=0.001, high=10.0, scale="log"), "b": [True, None]}
    drawn = draw(space, 400, rng=RNG(1), without=())
    assert len({key_of(point) for point in drawn}) == 400
    logs = [math.log10(float(str(point["a"]))) for point in drawn]
    assert all(-3 <= log <= 1 for log in logs)
    assert 0.15 < sum(log < -2 for log in logs) / 400 < 0.35  # a quarter of each decade


def test_a_tiny_range_gives_fewer_points() -> None:
    assert len(draw({"a": Range(low=1.0, high=1.001)}, 5, rng=RNG(1), without=())) == 2


def test_integers_at_the_ends_are_as_likely_as_others() -> None:
    space: dict[str, Dimension] = {"a": Range(low=1, high=4), "b": Range(low=0.0, high=1.0)}
    drawn = [point["a"] for point in draw(space, 2000, rng=RNG(1), without=())]
    assert all(0.2 < drawn.count(number) / 2000 < 0.3 for number in (1, 2, 3, 4))


def test_a_rounded_number_stays_inside() -> None:
    assert within(Range(low=0.123446, high=0.2), 0.12344601) == 0.123446
    assert within(Range(low=0.1, high=0.2), 0.16666666) == 0.1667
