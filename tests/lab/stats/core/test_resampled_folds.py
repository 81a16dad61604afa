"""The corrected resampled t-test covers the truth, where independent folds do not."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from lab.stats.core.resampled_folds import FoldDifference, corrected_difference, corrected_mean

SCORES = [0.81, 0.84, 0.79, 0.83, 0.80]
DIFFERENCES = [0.012, -0.004, 0.021, 0.008, 0.015]


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
    with pytest.raises(ValueError, match=r"row counts of 2 folds \(at least 1\), got 1 and 2"):
        corrected_mean([0.8, 0.9], train_rows=[10], validation_rows=[5, 5])


def test_no_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="row counts of 0 folds"):
        corrected_mean([], train_rows=[], validation_rows=[])


def difference(differences: list[float], *, train: int = 400, validation: int = 100) -> FoldDifference:
    count = len(differences)
    return corrected_difference(differences, train_rows=[train] * count, validation_rows=[validation] * count)


def test_without_overlap_the_test_is_students() -> None:
    found, expected = difference(DIFFERENCES, train=10**12, validation=1), stats.ttest_1samp(DIFFERENCES, 0)
    assert found.t == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_five_folds_lower_t_by_what_nadeau_and_bengio_say() -> None:
    plain = stats.ttest_1samp(DIFFERENCES, 0).statistic
    assert difference(DIFFERENCES).t == pytest.approx(plain * ((1 / 5) / (1 / 5 + 1 / 4)) ** 0.5)


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    found = difference(DIFFERENCES, train=10**12, validation=1)
    assert found.detectable is not None
    power = TTestPower().power(effect_size=found.detectable / np.std(DIFFERENCES, ddof=1), nobs=5, alpha=0.05)
    assert power == pytest.approx(0.8, abs=1e-5)


def test_swapping_the_models_only_flips_the_sign_of_the_folds() -> None:
    forth, back = difference(DIFFERENCES), difference([-each for each in DIFFERENCES])
    assert forth.t is not None
    assert back.t == -forth.t
    assert (back.p_value, back.detectable) == (forth.p_value, forth.detectable)


def test_models_that_are_equal_in_every_fold_do_not_differ() -> None:
    found = difference([0.0, 1e-16, 0.0, -1e-16])
    assert (found.difference, found.p_value, found.low, found.high) == (0.0, 1.0, 0.0, 0.0)
    assert found.reason == "equal in every fold"


def test_a_difference_that_is_the_same_in_every_fold_has_no_p_value() -> None:
    found = difference([0.01, 0.01, 0.01])
    assert found.difference == pytest.approx(0.01)
    assert (found.p_value, found.low) == (None, None)
    assert "its variance cannot be estimated" in found.reason


def test_a_single_fold_has_no_test() -> None:
    found = difference([0.01])
    assert (found.p_value, found.reason) == (None, "one fold: the variance cannot be estimated")


@pytest.mark.slow
def test_the_corrected_test_rarely_calls_equal_models_different_where_the_plain_one_does() -> None:
    """Two constant predictors, means of the same training rows with noise of their own, are equally good."""
    rng = np.random.default_rng(3)
    called = {"corrected": 0, "plain": 0}
    for _ in range(500):
        rows, noises = rng.normal(size=250), rng.normal(0, 6, size=(2, 250))
        differences = []
        for fold in np.arange(250).reshape(5, 50):
            fitted = [np.delete(rows + noise, fold).mean() for noise in noises]
            errors = [float(np.mean((rows[fold] - mean) ** 2)) for mean in fitted]
            differences.append(errors[1] - errors[0])
        for name, train in (("corrected", 200), ("plain", 10**12)):
            called[name] += (difference(differences, train=train, validation=50).p_value or 0.0) < 0.05
    assert called["corrected"] < 40
    assert called["plain"] > 50


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
