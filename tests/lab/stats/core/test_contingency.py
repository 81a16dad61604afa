"""Tables of counts against scipy, including degenerate tables."""

import numpy as np
import pytest
from scipy import stats

from lab.stats.core.contingency import compare_counts, compare_shares, pool_rare

TABLE = [[50, 30, 20, 8], [60, 20, 40, 9]]


def test_agrees_with_scipy_where_no_count_is_small() -> None:
    expected = stats.chi2_contingency(TABLE, correction=False)
    test = compare_counts(TABLE)
    assert (test.statistic, test.degrees, test.p_value) == pytest.approx(
        (expected.statistic, expected.dof, expected.pvalue)
    )
    assert test.cramers_v == pytest.approx(stats.contingency.association(np.array(TABLE), method="cramer"))


def test_swapping_the_samples_changes_nothing() -> None:
    assert compare_counts(TABLE) == compare_counts(TABLE[::-1])


def test_the_order_of_the_levels_changes_nothing() -> None:
    backwards = compare_counts([row[::-1] for row in TABLE])
    assert backwards.p_value == pytest.approx(compare_counts(TABLE).p_value, rel=1e-12)


def test_a_level_that_nobody_has_changes_nothing() -> None:
    assert compare_counts([[*row, 0] for row in TABLE]) == compare_counts(TABLE)


def test_rare_levels_are_counted_as_one_that_is_large_enough() -> None:
    pooled, levels = pool_rare(np.array([[500, 300, 2, 1, 9], [480, 320, 1, 2, 8]]))
    assert (pooled.tolist(), levels) == ([[500, 300, 12], [480, 320, 11]], 3)


def test_thousands_of_levels_with_a_row_each_cannot_be_tested_and_say_so() -> None:
    test = compare_counts(np.eye(2, dtype=int)[np.arange(10_000) % 2].T)
    assert (test.p_value, test.reason) == (None, "all levels are too rare to test")


def test_one_level_in_both_is_no_difference() -> None:
    test = compare_counts([[100], [70]])
    assert (test.p_value, test.cramers_v, test.reason) == (1.0, 0.0, "only one level")


def test_a_sample_without_rows_has_no_p_value() -> None:
    test = compare_counts([[0, 0], [70, 30]])
    assert (test.p_value, test.reason) == (None, "a sample without rows")


def test_one_sample_is_no_table() -> None:
    with pytest.raises(ValueError, match="one row of counts per sample, at least two"):
        compare_counts([[1, 2, 3]])


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="expected counts of at least 0, got -1"):
        compare_counts([[1, 2], [3, -1]])


def test_shares_agree_with_the_chi_square_test_of_scipy() -> None:
    expected = stats.chi2_contingency([[30, 970], [50, 1450]], correction=False).pvalue
    assert compare_shares(reference=(30, 1000), current=(50, 1500)).p_value == pytest.approx(expected)


@pytest.mark.parametrize(("hits", "current_hits"), [(0, 3), (1, 5), (15, 6), (10_000, 497)])
def test_rare_events_are_tested_by_the_doubled_hypergeometric_tail(hits: int, current_hits: int) -> None:
    chance = stats.hypergeom(10_500, hits + current_hits, 500)
    expected = min(1.0, 2 * min(chance.cdf(current_hits), chance.sf(current_hits - 1)))
    assert compare_shares(reference=(hits, 10_000), current=(current_hits, 500)).p_value == pytest.approx(expected)


@pytest.mark.parametrize("hits", [0, 1])
def test_what_is_so_in_every_row_does_not_differ(hits: int) -> None:
    test = compare_shares(reference=(10 * hits, 10), current=(20 * hits, 20))
    assert (test.difference, test.p_value, test.reason) == (0.0, 1.0, "all rows are equal")


def test_a_share_of_no_rows_has_no_p_value() -> None:
    assert compare_shares(reference=(0, 0), current=(1, 10)).p_value is None
