"""Intervals of shares against statsmodels; simultaneous intervals for the widest gap."""

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from lab.stats.core.proportions import newcombe_interval, wilson_interval

SAMPLES = [(0, 10), (10, 10), (1, 7), (53, 211), (4999, 10_000)]


@pytest.mark.parametrize("trials", SAMPLES)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_wilson_agrees_with_statsmodels(trials: tuple[int, int], level: float) -> None:
    expected = proportion_confint(*trials, alpha=1 - level, method="wilson")
    assert wilson_interval(trials, level=level) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("first", SAMPLES)
@pytest.mark.parametrize("second", SAMPLES)
def test_newcombe_agrees_with_statsmodels(first: tuple[int, int], second: tuple[int, int]) -> None:
    expected = confint_proportions_2indep(*second, *first, method="newcomb")
    assert newcombe_interval(first, second) == pytest.approx(expected, abs=1e-12)


def test_swapping_the_samples_only_flips_the_interval() -> None:
    low, high = newcombe_interval((20, 80), (30, 70))
    assert newcombe_interval((30, 70), (20, 80)) == pytest.approx((-high, -low), abs=1e-15)


@pytest.mark.parametrize("trials", [(0, 0), (3, 2), (-1, 5)])
def test_impossible_counts_are_refused(trials: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected 0 to n hits in n rows"):
        wilson_interval(trials)
