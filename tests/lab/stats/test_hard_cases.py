"""Hard cases give finite numbers or an error, never nan, inf or a crash."""

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from lab.stats.core.arm_means import Summary, compare_arm_means
from lab.stats.experiments import (
    confidence_sequences,
    covariates,
    effect_sizes,
    exact_tables,
    group_sequential,
    lifts,
    plans,
    posteriors,
    power_of_means,
    power_of_proportions,
    ratios,
    sample_ratio,
    several_arms,
    spending,
    strata,
    two_proportions,
)
from tests.lab.stats.laws import leaves
from tests.lab.stats.samples import take_moments_by_arm

Call = Callable[..., Any]
OWN_WORDS = ("expected", "the", "rows", "this", "undefined")

TRIALS = [(0, 0), (0, 1), (1, 1), (1, 2), (0, 7), (3, 7), (7, 7), (-1, 3), (4, 3)]
TRIALS += [(0, 10**9), (1, 10**9), (10**9, 10**9), (5 * 10**8, 10**9)]
ARMS = [
    Summary(count, mean, variance)
    for count in (1, 2, 10**9)
    for mean in (0.0, -3.0, 1e12)
    for variance in ((None,) if count == 1 else (0.0, 1e-300, 1.0, 1e20))
]
SAMPLES: list[list[float]] = [
    [],
    [0.0],
    [1.0, 1.0],
    [1.0, 2.0],
    [0.0, 0.0, 0.0],
    [1e300, -1e300],
    [math.nan, 1.0],
    [math.inf, 1.0],
    [1e9, 1e9 + 1, 1e9],
    [float(number) for number in range(30)],
]


def answers_or_refuses(call: Call, *arguments: Any, **options: Any) -> None:
    answer, refusal = None, ""
    try:
        answer = call(*arguments, **options)
    except ValueError as refused:
        refusal = str(refused)
    assert not refusal or refusal.startswith(OWN_WORDS), refusal
    numbers = [value for value in leaves(answer).values() if isinstance(value, float | np.floating)]
    assert all(math.isfinite(number) for number in numbers), (arguments, options, answer)


def by_name(*functions: Call) -> list[Any]:
    return [pytest.param(function, id=function.__name__) for function in functions]


@pytest.mark.parametrize(
    "compare",
    by_name(
        two_proportions.compare_proportions,
        two_proportions.compare_by_normal_limit,
        lifts.lift_of_proportions,
    ),
)
def test_any_two_shares(compare: Call) -> None:
    for control, treatment in product(TRIALS, TRIALS):
        answers_or_refuses(compare, control=control, treatment=treatment)


def test_any_two_small_arms() -> None:
    for control, treatment in product(TRIALS[:9], TRIALS[:9]):
        answers_or_refuses(exact_tables.fisher_p_value, control, treatment)


@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.5, 0.5)])
def test_any_two_posteriors(prior: tuple[float, float]) -> None:
    def believe(control: tuple[int, int], treatment: tuple[int, int]) -> list[Any]:
        arms = [posteriors.posterior_of(trials, prior=prior) for trials in (control, treatment)]
        return [posteriors.compare_posteriors(arms)]

    for control, treatment in product(TRIALS[::2], TRIALS):
        answers_or_refuses(believe, control, treatment)


@pytest.mark.parametrize("reference", ["student", "normal"])
@pytest.mark.parametrize("side", ["two-sided", "greater", "less"])
def test_any_two_means(side: str, reference: str) -> None:
    for control, treatment in product(ARMS, ARMS):
        answers_or_refuses(compare_arm_means, control, treatment, side=side, reference=reference)


def test_any_two_means_in_other_ways() -> None:
    for control, treatment in product(ARMS, ARMS):
        answers_or_refuses(lifts.relative_lift, control, treatment)
        answers_or_refuses(strata.post_stratify, [(control, treatment), (treatment, control)])
        answers_or_refuses(several_arms.compare_several_means, [control, treatment])


def test_any_two_means_where_it_takes_longer() -> None:
    for control, treatment in list(product(ARMS, ARMS))[::23]:
        answers_or_refuses(effect_sizes.standardised_difference, control, treatment)
        answers_or_refuses(several_arms.compare_with_control, control, [treatment, control])


def test_any_counts_against_any_weights() -> None:
    counts = [[0, 0], [0, 5], [5, 0], [1, 0, 0], [10**12, 1], [3, 3, 3]]
    weights = [[1, 1], [1, 0], [0, 1], [1, 1, 1], [1, 1, 0], [0, 1, 1], [1e-300, 1], [1e300, 1e300], [1e308, 1e308]]
    for arms, planned in product(counts, weights):
        answers_or_refuses(sample_ratio.check_sample_ratio, arms, planned)


@pytest.mark.parametrize("formula", ["arcsine", "unpooled", "pooled", "pooled_null"])
@pytest.mark.parametrize("ratio", [0.01, 1, 100])
def test_any_plan_for_shares(formula: str, ratio: float) -> None:
    options = {"formula": formula, "control_per_treatment": ratio}
    for control, treatment in product((0, 0.1, 0.5, 1, 1e-9), repeat=2):
        answers_or_refuses(power_of_proportions.proportion_units, control, treatment, **options)
        answers_or_refuses(power_of_proportions.proportion_power, control, treatment, 10, **options)
        answers_or_refuses(power_of_proportions.smallest_proportion, control, 10, **options)
        answers_or_refuses(plans.plan_proportions, control, treatment)


@pytest.mark.parametrize("spread", ["welch", "pooled"])
@pytest.mark.parametrize("reference", ["student", "normal"])
def test_any_plan_for_means(spread: str, reference: str) -> None:
    options = {"spread": spread, "reference": reference}
    for effect, ratio in product((0, 1e-6, 5, 1e6, math.nan, math.inf), (0.01, 1, 100)):
        answers_or_refuses(power_of_means.mean_units, effect, control_per_treatment=ratio, **options)
    for treated, control in product((1, 1.5, 3, 1e9), repeat=2):
        answers_or_refuses(power_of_means.mean_power, 0.2, treated=treated, control=control, **options)
        answers_or_refuses(power_of_means.smallest_mean_effect, treated=treated, control=control, **options)


@pytest.mark.parametrize("first", SAMPLES)
def test_any_covariate_and_any_ratio(first: list[float]) -> None:
    arms = ([0] + [1] * len(first))[: len(first)]

    def of(use: Call) -> Call:
        def call(outcome: list[float], known: list[float]) -> Any:
            return use(*take_moments_by_arm(arms, [outcome, known], count=2))

        return call

    which: dict[str, Any] = {"outcome": 0, "covariates": [1]}
    for second in (sample for sample in SAMPLES if len(sample) == len(first)):
        answers_or_refuses(of(lambda *both: covariates.adjust_for_covariates(both, **which)), first, second)
        answers_or_refuses(of(lambda *both: covariates.lift_after_adjustment(*both, **which)), first, second)
        answers_or_refuses(
            of(lambda *both: [ratios.ratio_of(arm, numerator=0, denominator=1) for arm in both]), first, second
        )


def test_any_strata_of_counts() -> None:
    for cells in product((0, 1, 9), repeat=4):
        table = [cells[:2], cells[2:]]
        answers_or_refuses(strata.stratified_test, [table])
        answers_or_refuses(strata.stratified_test, [table, [[3, 4], [5, 6]]])


@pytest.mark.parametrize(
    "information", [[1.0], [0.001, 1], [0.5, 0.50001, 1], [1e-9, 1], [0.2, 0.4], [look / 50 for look in range(1, 51)]]
)
@pytest.mark.parametrize("level", [0.001, 0.05, 0.5])
def test_any_looks(information: list[float], level: float) -> None:
    answers_or_refuses(confidence_sequences.anytime_bounds, information, level=level)
    for name in ("obrien_fleming", "pocock", "power0.5", "exponential-20", "exponential5"):
        named = spending.spending_named(name)
        answers_or_refuses(group_sequential.spending_bounds, information, level=level, spending=named)


def test_any_stop() -> None:
    bounds = group_sequential.spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0])
    for z, look in product((-40, -8, 0, 0.001, 12, 38), (1, 3, 5)):
        answers_or_refuses(group_sequential.analyse_stop, bounds, look=look, z=z)
    for drift in (0, 10, 60):
        answers_or_refuses(group_sequential.sequential_power, bounds, drift=drift)


def test_any_difference_at_any_time() -> None:
    for difference, error, units in product((0, -1e9, 1e9), (1e-9, 1, 1e9), (1, 10**12)):
        answers_or_refuses(confidence_sequences.anytime_comparison, difference, error, units, tuned_to=100)
