"""Variance reduction by a pre-experiment covariate: CUPED."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lab.stats.core.arm_means import Summary, compare_arm_means
from lab.stats.core.comparison import Comparison, compare_estimates, undefined
from lab.stats.experiments.moments import Moments, merge_moments

IMBALANCED_BELOW = 0.001


@dataclass(frozen=True)
class Adjustment:
    """Arms after adjustment for a covariate, with one θ for all arms.

    `variance_ratio` is the variance after over before adjustment, of all units. `imbalance` compares the covariate
    between control and each other arm; `balanced` is False when a difference is too unlikely under random assignment.
    """

    theta: float
    arms: tuple[Summary, ...]
    variance_ratio: float
    imbalance: tuple[Comparison, ...]
    balanced: bool
    reason: str


def adjust_for_covariate(arms: Sequence[Moments], *, outcome: int, covariate: int) -> Adjustment:
    """Return the CUPED-adjusted arms; the covariate must date from before exposure.

    θ is estimated from all arms together, so the difference stays unbiased. Deng, Xu, Kohavi and Walker (2013),
    Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data.
    """
    if len(arms) < 2 or min(arm.count for arm in arms) < 1:
        raise ValueError(f"expected two arms or more with at least one unit each, got {[arm.count for arm in arms]}")
    everyone = merge_moments(arms)
    spread, shared = everyone.products[covariate, covariate], everyone.products[outcome, covariate]
    theta = float(shared / spread) if spread > 0 else 0.0
    total = float(everyone.products[outcome, outcome])
    left = 1 - theta * float(shared) / total if total > 0 else 1.0
    imbalance = tuple(compare_arm_means(arms[0].summary(covariate), arm.summary(covariate)) for arm in arms[1:])
    return Adjustment(
        theta=theta,
        arms=tuple(_adjusted(arm, theta, float(everyone.means[covariate]), outcome, covariate) for arm in arms),
        variance_ratio=max(0.0, left),
        imbalance=imbalance,
        balanced=not any(test.p_value is not None and test.p_value < IMBALANCED_BELOW for test in imbalance),
        reason="" if spread > 0 else "the covariate is constant, so it explains nothing",
    )


def lift_after_adjustment(
    control: Moments, treatment: Moments, *, outcome: int, covariate: int, level: float = 0.95
) -> Comparison:
    """Return the adjusted difference over the unadjusted control mean, by the delta method at a balanced covariate."""
    adjusted = adjust_for_covariate([control, treatment], outcome=outcome, covariate=covariate)
    absolute = compare_arm_means(adjusted.arms[0], adjusted.arms[1])
    base = float(control.means[outcome])
    if base == 0 or absolute.standard_error is None:
        reason = absolute.reason or "undefined: the control value is 0, so there is no lift"
        return undefined(0.0, 0.0, reason)
    ratio, theta = float(treatment.means[outcome]) / base, adjusted.theta
    products = control.products / (control.count - 1)
    spread = (
        ratio**2 * products[outcome, outcome]
        - 2 * ratio * theta * products[outcome, covariate]
        + theta**2 * products[covariate, covariate]
    )
    variance = float(spread) / control.count + (adjusted.arms[1].variance or 0.0) / treatment.count
    error, lift = math.sqrt(variance) / abs(base), absolute.difference / abs(base)
    return compare_estimates(0.0, lift, standard_error=error, degrees=absolute.degrees, level=level)


def _adjusted(arm: Moments, theta: float, middle: float, outcome: int, covariate: int) -> Summary:
    mean = float(arm.means[outcome]) - theta * (float(arm.means[covariate]) - middle)
    if arm.count < 2:
        return Summary(arm.count, mean, None)
    products = arm.products
    left = (
        products[outcome, outcome]
        - 2 * theta * products[outcome, covariate]
        + theta**2 * products[covariate, covariate]
    )
    return Summary(arm.count, mean, max(0.0, float(left)) / (arm.count - 1))
