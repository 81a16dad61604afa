"""Plans against R's printed values and statsmodels, forwards and backwards."""

from typing import Any

import pytest
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from lab.stats.experiments.group_sequential import inflation, spending_bounds
from lab.stats.experiments.plans import Design, plan_means, plan_proportions, plan_ratios
from lab.stats.experiments.power_of_means import mean_power, mean_units, smallest_mean_effect
from lab.stats.experiments.power_of_proportions import Formula, proportion_power, proportion_units, smallest_proportion

FORMULAS: list[Formula] = ["pooled_null", "unpooled", "pooled", "arcsine"]


def test_the_units_are_those_that_r_prints() -> None:
    found = {formula: round(proportion_units(0.10, 0.12, formula=formula), 1) for formula in FORMULAS}
    assert found == {"arcsine": 3834.6, "unpooled": 3838.1, "pooled_null": 3840.8, "pooled": 3842.0}


@pytest.mark.parametrize("ratio", [0.5, 1.0, 4.0])
def test_the_power_agrees_with_statsmodels(ratio: float) -> None:
    expected = power_proportions_2indep(0.02, 0.1, 1000, ratio=ratio).power
    assert proportion_power(0.1, 0.12, 1000, control_per_treatment=ratio) == pytest.approx(expected, rel=1e-9)
    expected = TTestIndPower().power(0.2, 150, 0.05, ratio=ratio)
    assert mean_power(0.2, treated=150, control=150 * ratio) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("ratio", [0.25, 1.0, 3.0])
@pytest.mark.parametrize(("control", "treatment"), [(0.1, 0.12), (0.5, 0.45)])
def test_units_power_and_smallest_effect_agree(
    formula: Formula, ratio: float, control: float, treatment: float
) -> None:
    options: dict[str, Any] = {"control_per_treatment": ratio, "formula": formula}
    units = proportion_units(control, treatment, **options)
    assert proportion_power(control, treatment, units, **options) == pytest.approx(0.8, abs=3e-6)
    smallest = smallest_proportion(control, units, upwards=treatment > control, **options)
    assert smallest == pytest.approx(treatment, abs=1e-5 * abs(treatment - control) + 1e-9)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("ratio", [0.25, 1.0, 3.0])
@pytest.mark.parametrize(("control", "treatment"), [(0.0, 0.01), (0.99, 1.0)])
def test_shares_at_the_end_of_the_line_can_be_planned(
    formula: Formula, ratio: float, control: float, treatment: float
) -> None:
    options: dict[str, Any] = {"control_per_treatment": ratio, "formula": formula}
    units = proportion_units(control, treatment, **options)
    assert proportion_power(control, treatment, units, **options) == pytest.approx(0.8, abs=3e-3)  # the far tail
    assert proportion_power(control, control, units, **options) < 0.06
    smallest = smallest_proportion(control, units, **options)
    assert smallest == pytest.approx(treatment, abs=2e-4)


@pytest.mark.parametrize("spread", ["pooled", "welch"])
@pytest.mark.parametrize("reference", ["student", "normal"])
@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0])
def test_units_of_means_give_their_power_back(spread: Any, reference: Any, ratio: float) -> None:
    options: dict[str, Any] = {"spread": spread, "reference": reference}
    units = mean_units(0.3, control_per_treatment=ratio, **options)
    arms: dict[str, Any] = {"treated": units, "control": units * ratio}
    assert mean_power(0.3, **arms, **options) == pytest.approx(0.8, rel=1e-10)
    assert smallest_mean_effect(**arms, **options) == pytest.approx(0.3, rel=1e-9)


def test_a_huge_effect_needs_two_units_in_the_smaller_arm() -> None:
    assert mean_units(100.0) == 2.0
    assert mean_units(100.0, control_per_treatment=0.5) == 4.0


def test_no_sample_sees_a_difference_of_nothing() -> None:
    with pytest.raises(ValueError, match="no sample detects a difference of 0"):
        proportion_units(0.1, 0.1)
    with pytest.raises(ValueError, match="no sample detects a difference of 0"):
        mean_units(0.0)


@pytest.mark.parametrize("wrong", [{"level": 0.0}, {"power": 0.01}, {"power": 1.0}, {"control_per_treatment": 0.0}])
def test_a_plan_that_promises_the_impossible_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="0 < level < power < 1 and a ratio above 0"):
        proportion_units(0.1, 0.12, **wrong)
    with pytest.raises(ValueError, match="0 < level < power < 1 and a ratio above 0"):
        mean_units(0.2, **wrong)


def test_too_few_units_see_no_share_at_all() -> None:
    assert smallest_proportion(0.99, 5, upwards=True) is None


def test_a_stopping_rule_and_an_uneven_split_cost_units() -> None:
    plain = plan_proportions(0.10, 0.12)
    assert (plain.control, plain.treatment, plain.days) == (3841, 3841, None)
    looks = inflation(spending_bounds([look / 20 for look in range(1, 21)]))
    watched = plan_proportions(0.10, 0.12, design=Design(inflation=looks, units_per_day=1000))
    assert watched.total == pytest.approx(plain.total * 1.0463, rel=1e-3)
    assert watched.days == 9
    uneven = plan_proportions(0.10, 0.12, design=Design(weights=(0.9, 0.1)))
    assert uneven.control == pytest.approx(9 * uneven.treatment, abs=9)
    assert uneven.total > 2 * plain.total


def test_traffic_that_is_held_back_costs_days() -> None:
    half = plan_means(0.1, 1.0, design=Design(weights=(0.25, 0.25), units_per_day=100))
    full = plan_means(0.1, 1.0, design=Design(weights=(0.5, 0.5), units_per_day=100))
    assert half.total == full.total
    assert half.days == pytest.approx(2 * (full.days or 0), abs=1)


def test_a_ratio_is_planned_like_a_mean_of_its_linear_part() -> None:
    assert plan_ratios(0.1, 1.0).treatment == pytest.approx(plan_means(0.1, 1.0).treatment, abs=2)


def test_weights_of_more_than_all_units_are_refused() -> None:
    with pytest.raises(ValueError, match="weights above 0 that add up to at most 1"):
        plan_means(0.1, 1.0, design=Design(weights=(0.9, 0.9)))
