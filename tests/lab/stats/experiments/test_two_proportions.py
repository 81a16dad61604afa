"""Two shares against statsmodels and scipy; invalid counts raise errors."""

import math
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from lab.stats.core.comparison import Side
from lab.stats.experiments.lifts import lift_of_proportions
from lab.stats.experiments.two_proportions import (
    compare_by_normal_limit,
    compare_proportions,
)

RNG = np.random.default_rng(5)
ARMS = [
    ((int(RNG.integers(1, rows)), rows), (int(RNG.integers(1, others)), others))
    for rows, others in RNG.integers(2, 3000, (20, 2)).tolist()
]


@pytest.mark.parametrize(("control", "treatment"), ARMS)
def test_the_test_and_its_interval_agree_with_statsmodels(control: tuple[int, int], treatment: tuple[int, int]) -> None:
    z, p_value = proportions_ztest([treatment[0], control[0]], [treatment[1], control[1]])
    ends = confint_proportions_2indep(*treatment, *control, method="newcomb", compare="diff")
    test = compare_proportions(control=control, treatment=treatment)
    assert (test.z, test.p_value) == pytest.approx((z, p_value), rel=1e-9)
    assert (test.low, test.high) == pytest.approx(ends)


@pytest.mark.parametrize("side", ["greater", "less"])
def test_one_side_is_half_of_both(side: Side) -> None:
    arms: dict[str, Any] = {"control": (487, 5000), "treatment": (550, 5000)}
    one = compare_proportions(**arms, side=side)
    both = compare_proportions(**arms)
    assert one.p_value == pytest.approx(both.p_value / 2 if side == "greater" else 1 - both.p_value / 2)
    assert (one.high if side == "greater" else one.low) is None


@pytest.mark.parametrize("hits", [0, 30])
def test_one_outcome_only_is_no_difference_and_says_so(hits: int) -> None:
    arms: dict[str, Any] = {"control": (hits, 30), "treatment": (hits, 30)}
    test = compare_proportions(**arms)
    assert (test.p_value, test.log10_p, test.z) == (1.0, 0.0, 0.0)
    assert test.reason == "all units of both arms have the same outcome"
    assert (test.low or 0) < 0 < (test.high or 0)
    assert compare_by_normal_limit(**arms).reason == "undefined: zero variance"


def test_a_lift_over_nothing_is_not_defined_and_never_0() -> None:
    lift = lift_of_proportions(control=(0, 100), treatment=(8, 100))
    assert (lift.p_value, lift.low, lift.high) == (None, None, None)
    assert lift.reason == "undefined: no success in the control arm"


def test_a_p_value_that_underflows_has_a_logarithm() -> None:
    test = compare_proportions(control=(10**5, 10**7), treatment=(2 * 10**5, 10**7))
    assert test.p_value == 0.0
    assert test.log10_p == pytest.approx(-7350.831, abs=1e-3)
    assert math.isfinite(test.log10_p)


@pytest.mark.parametrize(
    ("control", "message"),
    [
        ((0, 0), "at least one trial, got 0 in control"),
        ((-1, 5), "between 0 and 5, got -1 in control"),
        ((6, 5), "got 6"),
    ],
)
def test_counts_that_cannot_be_are_refused(control: tuple[int, int], message: str) -> None:
    for compare in (compare_proportions, compare_by_normal_limit, lift_of_proportions):
        with pytest.raises(ValueError, match=message):
            compare(control=control, treatment=(1, 10))
