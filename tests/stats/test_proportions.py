"""Intervals of shares agree with statsmodels, and a gap that was picked is not taken for one that was planned."""

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from lab.stats.proportions import newcombe_interval, widest_gap, wilson_interval

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


def test_two_groups_need_no_correction() -> None:
    gap = widest_gap({"a": (80, 100), "b": (60, 100)})
    assert (gap.larger, gap.smaller) == ("a", "b")
    assert gap.value == pytest.approx(0.2)
    assert (gap.low, gap.high) == newcombe_interval((60, 100), (80, 100))


def test_more_groups_widen_the_interval_of_the_same_pair() -> None:
    two = widest_gap({"a": (80, 100), "b": (60, 100)})
    four = widest_gap({"a": (80, 100), "b": (60, 100), "c": (70, 100), "d": (71, 100)})
    assert (four.value, four.larger, four.smaller) == (two.value, two.larger, two.smaller)
    assert four.low < two.low < two.high < four.high


def test_equal_groups_have_no_gap() -> None:
    gap = widest_gap({"a": (7, 10), "b": (70, 100)})
    assert gap.value == 0
    assert gap.low < 0 < gap.high


def test_eight_equal_groups_seldom_look_apart() -> None:
    rng = np.random.default_rng(3)
    hits = rng.binomial(200, 0.8, size=(2000, 8))
    apart = [widest_gap({str(name): (int(hit), 200) for name, hit in enumerate(line)}).low > 0 for line in hits]
    assert np.mean(apart) <= 0.05


@pytest.mark.parametrize("trials", [(0, 0), (3, 2), (-1, 5)])
def test_impossible_counts_are_refused(trials: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected hits among one row or more"):
        wilson_interval(trials)


def test_one_group_has_no_gap() -> None:
    with pytest.raises(ValueError, match="two groups or more"):
        widest_gap({"a": (1, 2)})
