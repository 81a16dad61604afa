"""Gaps between groups: pairs, intervals and their coverage."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from lab.stats.models.gaps import mean_gaps, ratio_interval, share_gaps, share_ratios

GROUPS = {"east": (48, 80), "north": (56, 70), "west": (30, 60)}


def test_every_two_groups_are_compared_larger_less_smaller() -> None:
    found = {(gap.larger, gap.smaller): gap.value for gap in share_gaps(GROUPS)}
    assert found == {
        ("north", "west"): pytest.approx(0.3),
        ("north", "east"): pytest.approx(0.2),
        ("east", "west"): pytest.approx(0.1),
    }


def test_intervals_are_newcombes_at_the_level_that_three_pairs_need() -> None:
    gap = next(gap for gap in share_gaps(GROUPS) if (gap.larger, gap.smaller) == ("north", "east"))
    expected = confint_proportions_2indep(56, 70, 48, 80, compare="diff", method="newcomb", alpha=0.05 / 3)
    assert (gap.low, gap.high) == pytest.approx(expected, abs=1e-9)


def test_the_interval_of_two_means_is_welchs() -> None:
    rng = np.random.default_rng(0)
    groups = {"a": rng.normal(0, 1, 60), "b": rng.normal(0.5, 3, 40)}
    (gap,) = mean_gaps(groups)
    expected = stats.ttest_ind(groups[gap.larger], groups[gap.smaller], equal_var=False).confidence_interval(0.95)
    assert (gap.low, gap.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_means_without_spread_are_as_far_apart_as_they_are() -> None:
    (gap,) = mean_gaps({"a": np.zeros(5), "b": np.ones(5)})
    assert (gap.value, gap.low, gap.high, gap.larger) == (1, 1, 1, "b")


@pytest.mark.parametrize(
    ("first", "second"), [((400, 1000), (450, 1000)), ((48, 80), (56, 70)), ((900, 3000), (1100, 2800))]
)
def test_the_interval_of_a_ratio_is_near_the_score_interval(first: tuple[int, int], second: tuple[int, int]) -> None:
    expected = confint_proportions_2indep(*first, *second, compare="ratio", method="score")
    assert ratio_interval(first, second) == pytest.approx(expected, abs=0.005)


def test_the_interval_of_a_ratio_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.binomial([60, 90], [0.2, 0.35], (2000, 2))
    held = [low <= 0.2 / 0.35 <= high for hits in drawn for low, high in [ratio_interval((hits[0], 60), (hits[1], 90))]]
    assert 0.935 <= np.mean(held) <= 0.975


def test_no_hit_gives_a_ratio_from_0() -> None:
    low, high = ratio_interval((0, 50), (20, 60))
    assert low == 0
    assert 0 < high < 0.5


def test_a_ratio_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a hit in the second sample, got 0 of 50"):
        ratio_interval((3, 50), (0, 50))


def test_a_ratio_is_the_smaller_share_over_the_larger_and_needs_a_hit() -> None:
    found = {(gap.larger, gap.smaller): gap.value for gap in share_ratios({"a": (0, 50), "b": (0, 60), "c": (10, 50)})}
    assert found == {("c", "a"): 0, ("c", "b"): 0}


def test_every_share_1_has_ratio_1() -> None:
    (ratio,) = share_ratios({"a": (50, 50), "b": (60, 60)})
    assert (ratio.value, ratio.low < 1 < ratio.high) == (1, True)


def test_the_order_of_the_groups_leaves_no_trace() -> None:
    turned = dict(reversed(GROUPS.items()))
    assert share_gaps(turned) == share_gaps(GROUPS)
    assert share_ratios(turned) == share_ratios(GROUPS)


def test_more_groups_widen_every_interval() -> None:
    (pair,) = share_gaps({name: GROUPS[name] for name in ("east", "north")})
    among = next(gap for gap in share_gaps(GROUPS) if (gap.larger, gap.smaller) == ("north", "east"))
    assert among.low < pair.low < pair.high < among.high


@pytest.mark.parametrize("seed", [0, 1])
def test_equal_groups_seldom_have_a_pair_that_differs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hits = rng.binomial(100, 0.8, (1000, 5))
    false = [any(gap.low > 0 for gap in share_gaps({str(k): (int(h), 100) for k, h in enumerate(row)})) for row in hits]
    assert 0.005 <= np.mean(false) <= 0.05


def test_a_group_of_one_unit_has_no_spread() -> None:
    with pytest.raises(ValueError, match="expected at least two units in each group, got 1 in 5 rows"):
        mean_gaps({"a": np.arange(5.0), "b": np.arange(5.0)}, units={"a": np.zeros(5, dtype=int), "b": np.arange(5)})
