"""Partial dependence agrees with scikit-learn, and its grid describes the data."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import partial_dependence

from lab.explain.dependence import dependence_of, grid_of
from tests.lab.explain.rows import FEATURES, drawn, fitted, imputing

FRAME, _ = drawn()
PIPELINE = fitted(imputing(), RandomForestClassifier(5, random_state=0))


def score(frame: pd.DataFrame) -> Any:
    return PIPELINE.predict_proba(frame)[:, 1]


def test_means_are_scikit_learns() -> None:
    grid = grid_of(FRAME["age"], FEATURES["age"], most=7)
    expected = partial_dependence(
        PIPELINE, FRAME, ["age"], custom_values={"age": np.array([point.value for point in grid], dtype=float)}
    )["average"][0]
    assert dependence_of(score, FRAME, "age", grid).means == pytest.approx(expected, abs=1e-12)


def test_the_cells_of_a_number_contain_every_value() -> None:
    grid = grid_of(FRAME["age"], FEATURES["age"], most=20)
    assert len(grid) == 20
    assert sum(point.rows for point in grid) == len(FRAME)
    assert (grid[0].start, grid[-1].end) == (FRAME["age"].min(), FRAME["age"].max())
    assert all(one.end == other.start for one, other in pairwise(grid))


def test_a_value_on_an_edge_belongs_to_the_cell_below() -> None:
    grid = grid_of(pd.Series([0.0] * 5 + [1.0] + [2.0] * 5), FEATURES["age"], most=2)
    assert [(point.value, point.rows) for point in grid] == [(0.0, 6), (2.0, 5)]


def test_missing_values_have_their_own_point() -> None:
    last = grid_of(FRAME["spend"], FEATURES["spend"], most=5)[-1]
    assert (last.value, last.name, last.rows) == (None, "missing", int(FRAME["spend"].isna().sum()))


def test_levels_are_sorted_by_frequency_and_the_rarest_are_left_out() -> None:
    values = pd.Series(["a"] * 3 + ["b"] * 5 + ["c"] + [None] * 2, dtype=object)
    assert [(point.value, point.rows) for point in grid_of(values, FEATURES["city"], most=2)] == [
        ("b", 5),
        ("a", 3),
        (None, 2),
    ]


def test_a_constant_number_has_one_point_and_an_empty_one_only_missing() -> None:
    assert [point.value for point in grid_of(pd.Series([2.0] * 9), FEATURES["age"], most=5)] == [2.0]
    assert [point.name for point in grid_of(pd.Series([np.nan] * 9), FEATURES["age"], most=5)] == ["missing"]


def test_a_missing_level_is_passed_as_none() -> None:
    asked: list[Any] = []

    def watched(frame: pd.DataFrame) -> Any:
        asked.append(frame["city"].iloc[0])
        return np.zeros(len(frame))

    dependence_of(watched, FRAME, "city", grid_of(FRAME["city"], FEATURES["city"], most=3))
    assert asked[-1] is None
    assert set(asked[:-1]) == {"ulm", "bonn", "kiel"}


def test_the_interval_ignores_differences_in_level() -> None:
    frame = pd.DataFrame({"age": np.arange(10.0)})
    level = np.linspace(0, 0.5, 10)
    found = dependence_of(
        lambda rows: level + rows["age"].to_numpy() / 100, frame, "age", grid_of(frame["age"], FEATURES["age"], most=4)
    )
    assert found.reaches == pytest.approx(0, abs=1e-12)
    assert np.ptp(found.means) == pytest.approx(0.09)
