"""Importances are shares that sum to 1, or have a reason why they are missing."""

import pytest

from lab.search.space import Space
from tests.lab.search.landscape import Recorder, searched

METHODS = ("grid", "random", "halving", "bayesian")


@pytest.mark.parametrize("method", METHODS)
def test_shares_sum_to_one(method: str) -> None:
    found = searched(method, budget=120)
    assert set(found.importance) == {"inverse_penalty", "shape", "trees"}
    assert sum(found.importance.values()) == pytest.approx(1)
    assert found.importance_reason == ""


@pytest.mark.parametrize("method", METHODS)
def test_the_relevant_setting_has_the_largest_share(method: str) -> None:
    shapes = Recorder(
        lambda point, _fold: 0.8 + (0.1 if point["shape"] == "square" else 0.0) + 0.0001 * len(str(point))
    )
    assert searched(method, budget=120, evaluate=shapes).importance["shape"] > 0.9


def test_shares_on_a_grid_agree_with_an_analysis_of_variance() -> None:
    """On a balanced table without interactions a setting's share is the spread of its level means (by hand here)."""
    spread = {10: 0.0, 20: 0.3, 30: 0.6}
    additive = Recorder(
        lambda point, _fold: spread[int(str(point["trees"]))] + (0.1 if point["shape"] == "square" else 0.0)
    )
    space: Space = {"trees": [10, 20, 30], "shape": ["round", "square"]}
    shares = searched("grid", budget=120, space=space, evaluate=additive).importance
    trees, shape = 0.06, 0.0025  # variances of the level means
    assert shares["trees"] == pytest.approx(trees / (trees + shape), abs=0.03)


def test_too_few_points_have_a_reason() -> None:
    found = searched("random", budget=12)
    assert found.importance == {}
    assert found.importance_reason == "3 settings have scores, expected at least 4 for importances"


def test_equal_scores_have_a_reason() -> None:
    found = searched("random", evaluate=Recorder(lambda _point, _fold: 0.5))
    assert (found.importance, found.importance_reason) == ({}, "all settings have the same score")


def test_a_single_setting_has_the_whole_share() -> None:
    trees = Recorder(lambda point, _fold: int(str(point["trees"])) / 100)
    assert searched("grid", space={"trees": [10, 20, 30, 40]}, evaluate=trees).importance == {"trees": 1.0}
