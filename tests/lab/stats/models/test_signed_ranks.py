"""Wilcoxon's signed rank test against scipy, and its smallest p-value."""

import numpy as np
import pytest
from scipy import stats

from lab.stats.models.signed_ranks import MOST_EXACT, signed_rank_test

RNG = np.random.default_rng(8)


@pytest.mark.parametrize("count", [2, 4, 5, 12])
def test_with_ties_it_counts_the_sign_patterns_as_scipy_permutes_them(count: int) -> None:
    differences = RNG.integers(1, 5, count) * RNG.choice([-1, 1], count) / 10
    expected = stats.wilcoxon(differences, method=stats.PermutationMethod(n_resamples=2**count)).pvalue
    assert signed_rank_test(differences).p_value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("count", [20, MOST_EXACT])
def test_without_ties_it_is_scipys_exact_test(count: int) -> None:
    differences = RNG.normal(0.2, 1, count)
    expected = stats.wilcoxon(differences, method="exact").pvalue
    assert signed_rank_test(differences).p_value == pytest.approx(expected, rel=1e-12)


def test_beyond_the_exact_it_is_scipys_normal_limit_with_its_variance_for_ties() -> None:
    differences = RNG.normal(0.2, 1, MOST_EXACT + 40).round(1)
    expected = stats.wilcoxon(differences, method="approx").pvalue
    found = signed_rank_test(differences)
    assert not found.exact
    assert found.p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("count", "smallest"), [(1, 1.0), (4, 0.125), (5, 0.0625), (6, 0.03125)])
def test_few_differences_cannot_give_a_small_p_value(count: int, smallest: float) -> None:
    found = signed_rank_test(np.arange(1, count + 1))
    assert (found.p_value, found.smallest_p_value, found.effect) == (smallest, smallest, 1.0)


def test_the_sign_and_the_order_of_differences_do_not_matter_to_the_p_value() -> None:
    differences = RNG.normal(0.3, 1, 15).round(1)
    found, turned = signed_rank_test(differences), signed_rank_test(-differences[::-1])
    assert turned.p_value == found.p_value
    assert turned.effect == pytest.approx(-found.effect)


def test_differences_of_nothing_are_left_out() -> None:
    found, without = signed_rank_test([0.0, 0.1, 0.2, -0.05, 0.0]), signed_rank_test([0.1, 0.2, -0.05])
    assert found == without
    assert found.count == 3


def test_no_difference_at_all_is_no_evidence() -> None:
    found = signed_rank_test([0.0, 0.0])
    assert (found.p_value, found.smallest_p_value, found.reason) == (1.0, 1.0, "all differences are 0")


@pytest.mark.parametrize("differences", [[], [0.1, float("nan")], [[0.1]]])
def test_what_is_no_list_of_finite_differences_is_refused(differences: list[float]) -> None:
    with pytest.raises(ValueError, match="a list of one finite difference or more"):
        signed_rank_test(differences)
