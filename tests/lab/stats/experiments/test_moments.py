"""One-pass moments against exact arithmetic in numpy, for any batches."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, stats

from lab.stats.core.arm_means import Summary, compare_arm_means
from lab.stats.core.comparison import Side
from lab.stats.core.probabilities import chi_square_log10_p, student_log10_p
from lab.stats.experiments.effect_sizes import standardised_difference
from lab.stats.experiments.lifts import relative_lift
from lab.stats.experiments.moments import merge_moments, no_rows
from tests.lab.stats.samples import summarise, take_moments, take_moments_by_arm

RNG = np.random.default_rng(9)
VALUES = RNG.normal(3, 2, (3, 20_011))
ARMS = RNG.integers(0, 3, 20_011)


def exact_variance(values: list[float]) -> float:
    numbers = [Fraction(value) for value in values]
    mean = sum(numbers) / len(numbers)
    return float(sum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1))


def test_they_agree_with_numpy() -> None:
    moments = take_moments(list(VALUES))
    assert moments.means == pytest.approx(VALUES.mean(axis=1), rel=1e-13)
    assert moments.products / (moments.count - 1) == pytest.approx(np.cov(VALUES), rel=1e-12)


def test_an_offset_of_a_thousand_million_costs_no_digit_of_the_variance() -> None:
    far = 1e9 + RNG.normal(0, 1, 5000)
    expected = exact_variance(far.tolist())
    assert take_moments([far]).variance(0) == pytest.approx(expected, rel=1e-12)
    assert summarise(far).variance == pytest.approx(expected, rel=1e-12)
    squares = float(np.sum(far**2) / far.size - far.mean() ** 2)
    assert abs(squares / expected - 1) > 1e-6  # what the sum of squares would have given


@pytest.mark.parametrize("size", [1, 7, 1000, 8192, 30_000])
def test_any_batches_give_the_same(size: int) -> None:
    values = VALUES[:, : 2000 * size]
    whole = take_moments(list(values))
    parts = [take_moments(list(values[:, start : start + size])) for start in range(0, values.shape[1], size)]
    merged = merge_moments([no_rows(3), *parts])
    assert merged.count == whole.count
    assert merged.means == pytest.approx(whole.means, rel=1e-12)
    assert merged.products == pytest.approx(whole.products, rel=1e-12)


def test_moments_by_arm_add_up_to_those_of_all_rows() -> None:
    arms = take_moments_by_arm(ARMS, list(VALUES), count=4)
    assert [arm.count for arm in arms] == [*np.bincount(ARMS).tolist(), 0]
    assert arms[1].means == pytest.approx(VALUES[:, ARMS == 1].mean(axis=1))
    assert merge_moments(arms).products == pytest.approx(take_moments(list(VALUES)).products, rel=1e-12)


def test_one_row_has_a_mean_and_no_variance() -> None:
    assert take_moments([[5.0]]).summary(0) == Summary(1, 5.0, None)


def test_an_arm_without_units_has_no_mean() -> None:
    with pytest.raises(ValueError, match="an arm without units has no mean"):
        no_rows(1).summary(0)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([[1.0, np.nan]], "missing, infinite or huge"),
        ([[1.0, np.inf]], "missing, infinite or huge"),
    ],
)
def test_rows_that_cannot_be_added_up_are_refused(columns: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        take_moments(columns)


@pytest.mark.parametrize("side", ["two-sided", "greater", "less"])
def test_comparisons_agree_with_scipy(side: Side) -> None:
    first, second = RNG.normal(5, 1, 30), RNG.normal(5.3, 2, 45)
    expected = stats.ttest_ind(second, first, equal_var=False, alternative=side)
    test = compare_arm_means(summarise(first), summarise(second), side=side)
    ends = expected.confidence_interval()
    assert (test.statistic, test.degrees, test.p_value) == pytest.approx(
        (expected.statistic, expected.df, expected.pvalue), rel=1e-9
    )
    assert [-np.inf if test.low is None else test.low, np.inf if test.high is None else test.high] == pytest.approx(
        ends
    )


@pytest.mark.parametrize(
    ("first", "second", "p_value", "reason"),
    [
        ([1.0, 1.0], [2.0, 2.0], None, "undefined: zero variance"),
        ([1.0, 1.0], [1.0, 1.0], 1.0, "undefined: zero variance"),
        ([1.0], [2.0, 3.0], None, "undefined: one unit in an arm, its variance is unknown"),
    ],
)
def test_without_a_spread_no_significance_is_claimed(
    first: list[float], second: list[float], p_value: float | None, reason: str
) -> None:
    arms = summarise(first), summarise(second)
    for test in (compare_arm_means(*arms), relative_lift(*arms)):
        assert (test.low, test.high, test.reason) == (None, None, reason)
    assert compare_arm_means(*arms).p_value == p_value


def test_one_constant_arm_can_still_be_compared() -> None:
    test = compare_arm_means(summarise([1.0, 1.0, 1.0]), summarise([2.0, 3.0, 4.0]))
    assert test.p_value == pytest.approx(stats.ttest_1samp([2.0, 3.0, 4.0], 1.0).pvalue)


def test_a_lift_over_a_mean_of_0_is_not_defined() -> None:
    test = relative_lift(Summary(9, 0.0, 1.0), Summary(9, 1.0, 1.0))
    assert (test.p_value, test.reason) == (None, "undefined: the control value is 0, so there is no lift")


def test_the_interval_of_d_holds_what_makes_the_statistic_just_likely_enough() -> None:
    found = standardised_difference(Summary(20, 0.0, 1.0), Summary(30, 0.7, 1.0))
    assert found is not None
    root = np.sqrt(1 / 20 + 1 / 30)
    chances = [stats.nct.cdf(found.d / root, 48, end / root) for end in (found.low, found.high)]
    assert chances == pytest.approx([0.975, 0.025], rel=1e-6)


@pytest.mark.parametrize(
    ("t", "degrees", "expected"),
    [
        (1e200, 1, np.log10(2 / np.pi) - 200),  # the tail of a Cauchy variable
        (1e180, 2, -360.0),
        (3.0, 7, np.log10(stats.t.sf(3.0, 7) * 2)),
    ],
)
def test_the_logarithm_of_students_tail_goes_on_where_the_tail_ends(t: float, degrees: int, expected: float) -> None:
    assert student_log10_p(t, degrees) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("t", "degrees"), [(1e31, 10), (60.0, 1000), (45.0, 900_000), (45.0, 3_000_000)])
def test_the_logarithm_of_students_tail_is_that_of_its_density_added_up(t: float, degrees: int) -> None:
    at_t = stats.t.logpdf(t, degrees)
    width = 1 / ((degrees + 1) / (1 + degrees / t**2) - 1)  # of the logarithm of t, over which the tail falls by e

    def height(y: float) -> float:
        return float(np.exp(stats.t.logpdf(t * np.exp(width * y), degrees) - at_t + width * y))

    rest, _ = integrate.quad(height, 0, 60, epsrel=1e-11)
    expected = (np.log(2 * t * width * rest) + at_t) / np.log(10)
    assert student_log10_p(t, degrees) == pytest.approx(expected, rel=1e-10 if degrees < 1e6 else 1e-7)


def test_the_logarithm_of_chi_square_with_two_degrees_is_that_of_an_exponential() -> None:
    assert chi_square_log10_p(1e5, 2) == pytest.approx(-1e5 / 2 / np.log(10), rel=1e-12)
