"""McNemar's test against statsmodels and by the binomial distribution."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from lab.stats.models.mcnemar import compare_correctness, mcnemar_test


@pytest.mark.parametrize(("only_first", "only_second"), [(3, 9), (40, 25), (1, 0), (600, 700)])
def test_the_exact_p_value_agrees_with_statsmodels(only_first: int, only_second: int) -> None:
    expected = mcnemar([[500, only_first], [only_second, 30]], exact=True).pvalue
    assert mcnemar_test(500, only_first, only_second, 30).exact_p_value == pytest.approx(expected)


@pytest.mark.parametrize(("only_first", "only_second"), [(3, 9), (25, 40), (0, 1)])
def test_mid_p_counts_the_outcome_itself_half(only_first: int, only_second: int) -> None:
    coin = stats.binom(only_first + only_second, 0.5)
    expected = 2 * coin.cdf(only_first) - coin.pmf(only_first)
    assert mcnemar_test(0, only_first, only_second, 0).p_value == pytest.approx(expected)


def test_swapping_the_models_only_flips_the_sign() -> None:
    forth, back = mcnemar_test(50, 9, 4, 7), mcnemar_test(50, 4, 9, 7)
    assert (forth.difference, forth.low, forth.p_value) == (-back.difference, -back.high, back.p_value)


def test_identical_models_do_not_differ() -> None:
    right = np.arange(100) % 3 == 0
    test = compare_correctness(right, right)
    assert (test.difference, test.p_value, test.exact_p_value) == (0.0, 1.0, 1.0)
    assert test.reason == "correct on the same rows"


def test_rows_that_both_have_right_do_not_bear_on_the_p_value() -> None:
    assert mcnemar_test(10, 9, 4, 7).p_value == mcnemar_test(10_000, 9, 4, 0).p_value


def test_a_p_value_beyond_the_floats_keeps_its_logarithm() -> None:
    test = mcnemar_test(0, 0, 5000, 0)
    assert test.exact_p_value == 0.0
    assert test.exact_log10_p == pytest.approx(-4999 * np.log10(2))


def test_lists_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="two lists of equal length"):
        compare_correctness([True], [True, False])


def test_no_row_is_refused() -> None:
    with pytest.raises(ValueError, match="four counts of at least 0"):
        compare_correctness([], [])
