"""Conversion of points to Optuna and back, and Optuna's proposals."""

import math

import optuna
import pytest

from lab.search.points import key_of
from lab.search.space import Point, Range, Space
from lab.search.study import ask, distributions_of, new_study

SPACE: Space = {
    "deepest": [8, 16, None],
    "feature_share": ["sqrt", 0.3, 0.6],
    "learning_rate": Range(low=0.01, high=1.0, scale="log"),
    "penalty": [10.0, 0.1, 1.0],
    "shape": ["round"],
    "smallest_leaf": Range(low=1, high=25, scale="log"),
}
POINT: Point = {
    "deepest": None,
    "feature_share": 0.3,
    "learning_rate": 0.06,
    "penalty": 10.0,
    "shape": "round",
    "smallest_leaf": 5,
}


def test_proposals_cover_the_range_of_every_setting() -> None:
    study = new_study(SPACE, [(POINT, 0.5)], seed=1)
    points = [ask(study, SPACE) for _ in range(80)]
    assert {key_of({"": point["deepest"]}) for point in points} == {key_of({"": value}) for value in (8, 16, None)}
    assert {point["feature_share"] for point in points} == {"sqrt", 0.3, 0.6}
    assert {point["penalty"] for point in points} == {0.1, 1.0, 10.0}
    assert {point["shape"] for point in points} == {"round"}
    rates = [float(str(point["learning_rate"])) for point in points]
    assert 0.01 <= min(rates) < 0.03
    assert 0.3 < max(rates) <= 1.0
    leaves = [point["smallest_leaf"] for point in points]
    assert all(isinstance(leaf, int) and 1 <= leaf <= 25 for leaf in leaves)
    assert len(set(leaves)) > 8


def test_proposals_are_rounded_to_four_digits() -> None:
    rate = ask(new_study(SPACE, [], seed=1), SPACE)["learning_rate"]
    assert rate == float(f"{rate:.4g}")


def test_a_known_point_is_unchanged() -> None:
    [trial] = new_study(SPACE, [(POINT, 0.5)], seed=1).trials
    assert trial.value == 0.5
    assert trial.params == {"deepest": 2, "feature_share": 1, "learning_rate": 0.06, "penalty": 2, "smallest_leaf": 5}


def test_only_choices_of_numbers_are_ordered() -> None:
    kinds = {name: type(kind) for name, kind in distributions_of(SPACE).items()}
    assert kinds["penalty"] is optuna.distributions.IntDistribution
    assert kinds["deepest"] is kinds["feature_share"] is optuna.distributions.CategoricalDistribution
    assert "shape" not in kinds


@pytest.mark.parametrize(
    "outside",
    [{"deepest": 9}, {"learning_rate": 2.0}, {"learning_rate": None}, {"smallest_leaf": 0}, {"smallest_leaf": True}],
)
def test_a_point_outside_the_space_is_left_out(outside: Point) -> None:
    assert new_study(SPACE, [({**POINT, **outside}, 0.5)], seed=1).trials == []


def test_the_same_seed_and_points_give_the_same_proposals() -> None:
    known = [({**POINT, "learning_rate": rate}, -abs(math.log(rate))) for rate in (0.02, 0.1, 0.5, 0.9)]
    first, second, other = (new_study(SPACE, known, seed=seed) for seed in (1, 1, 2))
    proposals = [ask(first, SPACE) for _ in range(5)]
    assert proposals == [ask(second, SPACE) for _ in range(5)]
    assert proposals != [ask(other, SPACE) for _ in range(5)]


def test_optuna_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    ask(new_study(SPACE, [(POINT, 0.5)], seed=1), SPACE)
    assert capsys.readouterr() == ("", "")
