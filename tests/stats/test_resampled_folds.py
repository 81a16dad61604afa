"""The corrected interval: wider than folds taken for independent, and honest where they are not."""

import numpy as np
import pytest
from scipy import stats

from lab.stats.resampled_folds import corrected_mean

SCORES = [0.81, 0.84, 0.79, 0.83, 0.80]


def interval(scores: list[float], *, train: int, validation: int) -> tuple[float, float]:
    count = len(scores)
    found = corrected_mean(scores, train_rows=[train] * count, validation_rows=[validation] * count)
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def test_without_overlap_it_is_students_interval() -> None:
    expected = stats.t.interval(0.95, 4, loc=np.mean(SCORES), scale=stats.sem(SCORES))
    assert interval(SCORES, train=10**12, validation=1) == pytest.approx(expected)


def test_five_folds_are_widened_by_what_nadeau_and_bengio_say() -> None:
    low, high = interval(SCORES, train=400, validation=100)
    plain_low, plain_high = interval(SCORES, train=10**12, validation=1)
    assert (high - low) / (plain_high - plain_low) == pytest.approx(((1 / 5 + 1 / 4) / (1 / 5)) ** 0.5)


def test_adding_to_every_score_moves_the_interval_by_as_much() -> None:
    low, high = interval(SCORES, train=400, validation=100)
    moved = interval([score + 0.1 for score in SCORES], train=400, validation=100)
    assert moved == pytest.approx((low + 0.1, high + 0.1))


def test_the_order_of_folds_does_not_matter() -> None:
    assert interval(SCORES, train=400, validation=100) == pytest.approx(
        interval(SCORES[::-1], train=400, validation=100)
    )


def test_a_single_fold_has_no_interval() -> None:
    found = corrected_mean([0.8], train_rows=[10], validation_rows=[5])
    assert (found.mean, found.low, found.high) == (0.8, None, None)


def test_folds_without_rows_of_their_own_are_refused() -> None:
    with pytest.raises(ValueError, match="rows of each of 2 folds, one or more, got 1 and 2"):
        corrected_mean([0.8, 0.9], train_rows=[10], validation_rows=[5, 5])


def test_no_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="rows of each of 0 folds"):
        corrected_mean([], train_rows=[], validation_rows=[])


@pytest.mark.slow
def test_it_covers_the_truth_where_the_plain_interval_does_not() -> None:
    """The error of a mean predictor over five folds; its truth is 1 + 1/n for a training part of n rows."""
    rng = np.random.default_rng(1)
    covered = {"corrected": 0, "plain": 0}
    for _ in range(1000):
        rows = rng.normal(size=50).reshape(5, 10)
        errors = [float(np.mean((rows[fold] - np.delete(rows, fold, axis=0).mean()) ** 2)) for fold in range(5)]
        for name, train in (("corrected", 40), ("plain", 10**12)):
            low, high = interval(errors, train=train, validation=10)
            covered[name] += low <= 1 + 1 / 40 <= high
    assert covered["corrected"] > 950
    assert covered["plain"] < 940
