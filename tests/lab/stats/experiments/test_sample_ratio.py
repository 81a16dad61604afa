"""The sample ratio test detects mismatches and keeps its false positive rate."""

import math

import numpy as np
import pytest
from scipy import stats

from lab.stats.experiments.sample_ratio import check_sample_ratio

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("weights", [[1, 1], [9, 1], [0.2, 0.3, 0.5], [1, 2, 3, 4]])
def test_it_agrees_with_scipy(weights: list[float]) -> None:
    shares = np.array(weights) / sum(weights)
    counts = RNG.multinomial(5000, shares)
    expected = stats.chisquare(counts, 5000 * shares)
    check = check_sample_ratio(counts.tolist(), weights)
    assert (check.statistic, check.p_value) == pytest.approx(tuple(expected), rel=1e-10)
    assert check.degrees == len(weights) - 1


@pytest.mark.parametrize(("counts", "invalid"), [([5000, 5230], False), ([5000, 5340], True)])
def test_it_fires_below_one_in_a_thousand(counts: list[int], invalid: bool) -> None:
    check = check_sample_ratio(counts, [1, 1])
    assert check.invalid == invalid
    assert check.reason.startswith("sample ratio mismatch") == invalid


def test_an_arm_without_traffic_fires_however_few_the_units() -> None:
    check = check_sample_ratio([3, 0], [1, 1])
    assert (check.invalid, check.reason) == (True, "arm 1 has no unit")


def test_an_arm_of_weight_0_adds_no_degree_of_freedom() -> None:
    assert check_sample_ratio([500, 510, 0], [1, 1, 0]).p_value == check_sample_ratio([500, 510], [1, 1]).p_value


def test_a_unit_in_an_arm_of_weight_0_fires() -> None:
    check = check_sample_ratio([500, 510, 1], [1, 1, 0])
    assert (check.invalid, check.reason) == (True, "units in arm 2, which has weight 0")


def test_without_any_unit_it_fires_and_has_no_p_value() -> None:
    check = check_sample_ratio([0, 0], [1, 1])
    assert (check.invalid, check.p_value, check.reason) == (True, None, "no unit in any arm")


def test_a_p_value_that_underflows_has_a_logarithm() -> None:
    check = check_sample_ratio([10**7, 2 * 10**7, 3 * 10**7], [1, 1, 1])
    assert check.p_value == 0.0
    assert check.log10_p == pytest.approx(-check.statistic / 2 / math.log(10))


@pytest.mark.parametrize(
    ("counts", "weights", "message"),
    [
        ([1, 2], [1.0], "a weight for each"),
        ([1], [1.0], "two arms or more"),
        ([-1, 2], [1.0, 1.0], "counts of units"),
        ([1, 2], [1.0, 0.0], "two of them above 0"),
        ([1, 2], [1.0, math.nan], "weights of at least 0"),
    ],
)
def test_what_is_no_plan_is_refused(counts: list[int], weights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_sample_ratio(counts, weights)
