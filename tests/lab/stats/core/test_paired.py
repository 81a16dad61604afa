"""Paired means, losses, Welch's test and Cochran's Q against scipy, scikit-learn and statsmodels."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import brier_score_loss, log_loss
from statsmodels.stats.contingency_tables import cochrans_q

from lab.stats.core.paired import compare_means, log_losses, squared_errors
from lab.stats.models.cochran import cochran_test

RNG = np.random.default_rng(8)
FIRST = RNG.normal(0, 1, 60)
SECOND = FIRST + RNG.normal(0.2, 0.5, 60)
LABELS = RNG.random(60) < 0.4
CHANCES = RNG.random(60)


def test_the_paired_test_agrees_with_scipy() -> None:
    expected = stats.ttest_rel(SECOND, FIRST)
    interval = expected.confidence_interval()
    test = compare_means(FIRST, SECOND)
    assert (test.t, test.p_value, test.low, test.high) == pytest.approx(
        (expected.statistic, expected.pvalue, interval.low, interval.high)
    )


def test_equal_columns_do_not_differ() -> None:
    test = compare_means(FIRST, FIRST)
    assert (test.difference, test.p_value, test.low, test.high) == (0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize("step", [1.0, 0.1])
def test_a_difference_that_is_the_same_in_every_row_gives_no_p_value(step: float) -> None:
    first = np.arange(10) / 10
    test = compare_means(first, first + step)
    assert test.p_value is None
    assert test.difference == pytest.approx(step)
    assert "its variance cannot be estimated" in test.reason


def test_one_row_gives_no_p_value() -> None:
    assert compare_means([1.0], [2.0]).p_value is None


@pytest.mark.parametrize("second", [[], [1.0, np.nan], [1.0, np.inf]])
def test_rows_that_cannot_be_paired_are_refused(second: list[float]) -> None:
    with pytest.raises(ValueError, match="two columns of equal length, finite and not empty"):
        compare_means([1.0, 2.0][: len(second)], second)


def test_losses_have_the_means_of_scikit_learn() -> None:
    assert log_losses(LABELS, CHANCES).mean() == pytest.approx(log_loss(LABELS, CHANCES))
    assert squared_errors(LABELS, CHANCES).mean() == pytest.approx(brier_score_loss(LABELS, CHANCES))


def test_a_certain_mistake_has_a_finite_loss() -> None:
    assert log_losses([1, 0], [0.0, 1.0]) == pytest.approx([-np.log(5e-7)] * 2)


def test_cochran_agrees_with_statsmodels() -> None:
    correct = (RNG.random((80, 4)) < [0.6, 0.7, 0.7, 0.8]).astype(int)
    expected = cochrans_q(correct)
    test = cochran_test(correct)
    assert (test.q, test.degrees, test.p_value) == pytest.approx((expected.statistic, 3, expected.pvalue))


def test_models_that_are_right_on_the_same_rows_do_not_differ() -> None:
    test = cochran_test(np.repeat(LABELS[:, None], 3, axis=1))
    assert (test.q, test.p_value) == (0.0, 1.0)
    assert test.reason


def test_one_model_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="rows by two models or more"):
        cochran_test(LABELS[:, None])
