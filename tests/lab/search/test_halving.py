"""Rounds of halving stay within the budget, with fewer points on more folds each."""

import pytest

from lab.search.halving import plan_rounds


@pytest.mark.parametrize("folds", [1, 2, 3, 4, 5, 7, 10])
def test_rounds_keep_to_the_budget(folds: int) -> None:
    for points in (1, 2, 3, 12, 27, 10**9):
        for budget in range(folds, 200):
            rounds = plan_rounds(points, folds=folds, budget=budget)
            alive = [sum(planned.folds >= fold for planned in rounds) for fold in range(1, folds + 1)]
            assert alive[-1] >= 1
            counts = [
                next(planned.points for planned in rounds if planned.folds >= fold) for fold in range(1, folds + 1)
            ]
            assert sum(counts) <= budget
            assert counts == sorted(counts, reverse=True)
            assert counts[0] <= points
            assert rounds[-1].folds == folds


def test_an_affordable_space_is_fitted_completely() -> None:
    [only] = plan_rounds(12, folds=5, budget=60)
    assert (only.points, only.folds) == (12, 5)


def test_a_budget_of_one_point_tries_one_point() -> None:
    assert [(planned.points, planned.folds) for planned in plan_rounds(12, folds=5, budget=5)] == [(1, 5)]


def test_a_space_that_is_soon_exhausted_starts_on_more_folds() -> None:
    assert plan_rounds(12, folds=4, budget=36)[0].folds > plan_rounds(12, folds=4, budget=20)[0].folds
