"""Several arms, strata and covariates against scipy and statsmodels."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.oneway import anova_oneway

from lab.stats.core.arm_means import Summary, compare_arm_means
from lab.stats.experiments.covariates import adjust_for_covariates, lift_after_adjustment
from lab.stats.experiments.ratios import ratio_of
from lab.stats.experiments.several_arms import any_beyond, compare_several_means, compare_with_control
from lab.stats.experiments.strata import post_stratify, stratified_test
from tests.lab.stats.samples import summarise, take_moments, take_moments_by_arm

RNG = np.random.default_rng(11)
GROUPS = [RNG.normal(mean, spread, rows) for mean, spread, rows in ((5, 1, 20), (5.4, 2, 35), (6, 1.5, 9), (5, 1, 12))]
ARMS = [summarise(group) for group in GROUPS]
TABLES = RNG.integers(3, 60, (5, 2, 2))


def test_the_ratio_of_variances_agrees_with_statsmodels() -> None:
    welch = compare_several_means(ARMS)
    expected = anova_oneway(GROUPS, use_var="unequal")
    assert (welch.statistic, welch.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


def test_two_arms_are_welchs_test_squared() -> None:
    test = compare_arm_means(*ARMS[:2])
    assert compare_several_means(ARMS[:2]).p_value == pytest.approx(test.p_value, rel=1e-9)


def test_comparisons_with_one_control_agree_with_scipy() -> None:
    expected = stats.dunnett(*GROUPS[1:], control=GROUPS[0], rng=np.random.default_rng(1))
    found = compare_with_control(ARMS[0], ARMS[1:])
    ends = expected.confidence_interval()
    assert found.statistics == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p_values == pytest.approx(expected.pvalue, rel=5e-3)
    assert found.lows == pytest.approx(ends.low, abs=5e-3)
    assert found.highs == pytest.approx(ends.high, abs=5e-3)


def test_one_comparison_with_a_control_is_students() -> None:
    student = stats.ttest_ind(GROUPS[1], GROUPS[0])
    found = compare_with_control(ARMS[0], ARMS[1:2])
    assert found.p_values[0] == pytest.approx(student.pvalue, rel=1e-9)
    assert (found.lows[0], found.highs[0]) == pytest.approx(student.confidence_interval(), rel=1e-9)


def test_comparisons_share_their_level_less_strictly_than_bonferroni() -> None:
    one = any_beyond(2.5, np.sqrt([0.5]), 60)
    assert one < any_beyond(2.5, np.sqrt([0.5] * 4), 60) < 4 * one


@pytest.mark.parametrize("arms", [[Summary(1, 1.0, None), Summary(1, 2.0, None)], [Summary(5, 1.0, 0.0)] * 3])
def test_several_arms_without_a_spread_say_so(arms: list[Summary]) -> None:
    found = compare_several_means(arms)
    assert (found.p_value, found.reason) == (None, "undefined: zero variance")
    assert compare_with_control(arms[0], arms[1:]).reason == "undefined: zero variance"


def test_strata_agree_with_statsmodels() -> None:
    expected = StratifiedTable([table[::-1] for table in TABLES])  # statsmodels' odds are of the first row
    found = stratified_test(TABLES)
    test = expected.test_null_odds(correction=False)
    assert (found.statistic, found.p_value) == pytest.approx((test.statistic, test.pvalue), rel=1e-9)
    assert found.odds_ratio == pytest.approx(expected.oddsratio_pooled)
    assert (found.low, found.high) == pytest.approx(expected.oddsratio_pooled_confint(), rel=1e-9)


@pytest.mark.parametrize("tables", [[[[5, 5], [0, 0]]], [[[5, 0], [6, 0]]], [[[0, 0], [0, 0]]], np.zeros((0, 2, 2))])
def test_strata_where_nothing_can_be_compared_say_so(tables: Any) -> None:
    found = stratified_test(tables)
    assert (found.p_value, found.odds_ratio) == (None, None)
    assert found.reason.startswith("undefined")


def test_an_outcome_missing_in_an_arm_leaves_a_test_and_no_odds_ratio() -> None:
    found = stratified_test([[[0, 20], [5, 15]], [[0, 9], [3, 7]]])
    assert found.p_value is not None
    assert (found.odds_ratio, found.low) == (None, None)


def test_one_stratum_is_no_stratification() -> None:
    found = post_stratify([(ARMS[0], ARMS[1])])
    plain = compare_arm_means(ARMS[0], ARMS[1])
    assert found.absolute.difference == pytest.approx(plain.difference)
    assert found.absolute.standard_error == pytest.approx(plain.standard_error)


def test_strata_undo_an_imbalance_between_arms() -> None:
    low, high = Summary(80, 1.0, 1.0), Summary(20, 9.0, 1.0)
    shifted = Summary(20, 1.0, 1.0), Summary(80, 9.0, 1.0)
    found = post_stratify([(low, shifted[0]), (high, shifted[1])])
    assert found.absolute.difference == pytest.approx(0.0)


def test_a_stratum_with_one_unit_in_an_arm_says_so() -> None:
    found = post_stratify([(ARMS[0], Summary(1, 2.0, None))])
    assert (found.absolute.p_value, found.relative.p_value) == (None, None)
    assert found.absolute.reason == "undefined: a stratum has fewer than two units in an arm"


BEFORE = RNG.normal(10, 2, 400)
TREATED = RNG.integers(0, 2, 400)
AFTER = BEFORE + RNG.normal(0, 1.5, 400) + 0.4 * TREATED
CONTROL, TREATMENT = take_moments_by_arm(TREATED, [AFTER, BEFORE], count=2)


def test_the_adjustment_is_the_slope_over_all_units_and_its_welch_test() -> None:
    theta = np.polyfit(BEFORE, AFTER, 1)[0]
    adjusted = AFTER - theta * (BEFORE - BEFORE.mean())
    expected = stats.ttest_ind(adjusted[TREATED == 1], adjusted[TREATED == 0], equal_var=False)
    found = adjust_for_covariates([CONTROL, TREATMENT], outcome=0, covariates=[1])
    test = compare_arm_means(*found.arms)
    assert (test.statistic, test.p_value) == pytest.approx(tuple(expected), rel=1e-9)
    assert found.variance_ratio == pytest.approx(1 - np.corrcoef(BEFORE, AFTER)[0, 1] ** 2)


def test_a_constant_covariate_explains_nothing_and_says_so() -> None:
    arms = take_moments_by_arm(TREATED, [AFTER, np.full(400, 7.0)], count=2)
    found = adjust_for_covariates(arms, outcome=0, covariates=[1])
    assert (found.theta, found.variance_ratio) == ((0.0,), 1.0)
    assert found.reason == "the covariate is constant, so it explains nothing"
    assert found.arms[0] == arms[0].summary(0)


def test_a_lift_after_adjustment_is_relative_to_what_was_measured() -> None:
    lift = lift_after_adjustment(CONTROL, TREATMENT, outcome=0, covariates=[1])
    absolute = compare_arm_means(*adjust_for_covariates([CONTROL, TREATMENT], outcome=0, covariates=[1]).arms)
    assert lift.difference == pytest.approx(absolute.difference / AFTER[TREATED == 0].mean())


def test_a_ratio_is_as_uncertain_as_its_linear_part() -> None:
    views = RNG.poisson(8, 500) + 1.0
    clicks = RNG.binomial(views.astype(int), 0.3).astype(float)
    ratio = clicks.sum() / views.sum()
    expected = float(np.var((clicks - ratio * views) / views.mean(), ddof=1))
    found = ratio_of(take_moments([clicks, views]), numerator=0, denominator=1).summary
    assert found is not None
    assert (found.mean, found.variance) == pytest.approx((ratio, expected))


def test_a_ratio_over_nothing_is_not_defined() -> None:
    found = ratio_of(take_moments([[1.0, 2.0], [0.0, 0.0]]), numerator=0, denominator=1)
    assert (found.summary, found.reason) == (None, "undefined: the denominator sums to 0")
