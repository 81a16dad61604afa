"""Intervals of quantiles are exact for every distribution, open for few values."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from lab.stats.experiments.quantiles import quantile


@pytest.mark.parametrize(("count", "share"), [(100, 0.5), (1000, 0.99), (60, 0.9)])
def test_the_ends_are_those_that_scipy_finds(count: int, share: float) -> None:
    values = np.random.default_rng(0).exponential(size=count)
    tested: Any = stats.quantile_test(values, q=0, p=share)
    expected = tested.confidence_interval(0.95)
    seen = quantile(values, share)
    assert (seen.low, seen.high) == (expected.low, expected.high)


@pytest.mark.parametrize("share", [0.01, 0.29, 0.5, 0.99])
def test_the_value_is_one_of_the_values_and_has_the_share_at_or_below(share: float) -> None:
    values = np.random.default_rng(0).permutation(100) + 1.0
    assert quantile(values, share).value == pytest.approx(100 * share)


def test_too_few_values_leave_an_end_open() -> None:
    seen = quantile(range(1, 51), 0.99)
    assert (seen.value, seen.high) == (50, None)
    assert seen.low is not None


def test_equal_values_have_an_interval_of_that_value() -> None:
    seen = quantile(np.full(200, 3.0), 0.5)
    assert (seen.value, seen.low, seen.high) == (3, 3, 3)


def test_no_values_have_no_quantile() -> None:
    assert quantile([], 0.5).value is None
