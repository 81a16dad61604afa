"""Variance reduction by pre-experiment covariates: CUPED and ANCOVA."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.arm_means import LARGEST, Summary, compare_arm_means
from lab.stats.core.comparison import Comparison, Side, compare_estimates, undefined
from lab.stats.experiments.moments import Moments, merge_moments

Numbers = NDArray[np.float64]
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


@dataclass(frozen=True)
class Regression:
    """The effect of a treatment by least squares, with the homoscedastic and the robust standard error.

    The errors are None without residual degrees of freedom.
    """

    difference: float
    standard_error: float | None
    robust_error: float | None


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


def compare_adjusted(
    control: Moments, treatment: Moments, *, outcome: int, covariate: int, side: Side = "two-sided", level: float = 0.95
) -> Comparison:
    """Return Welch's t-test of two arms after adjustment for a covariate."""
    adjusted = adjust_for_covariate([control, treatment], outcome=outcome, covariate=covariate)
    return compare_arm_means(adjusted.arms[0], adjusted.arms[1], side=side, level=level)


def lift_after_adjustment(
    control: Moments, treatment: Moments, *, outcome: int, covariate: int, side: Side = "two-sided", level: float = 0.95
) -> Comparison:
    """Return the adjusted difference over the unadjusted control mean, by the delta method at a balanced covariate."""
    absolute = compare_adjusted(control, treatment, outcome=outcome, covariate=covariate)
    base = float(control.means[outcome])
    if base == 0 or absolute.standard_error is None:
        reason = absolute.reason or "undefined: the control value is 0, so there is no lift"
        return undefined(0.0, 0.0, reason)
    adjusted = adjust_for_covariate([control, treatment], outcome=outcome, covariate=covariate)
    ratio, theta = float(treatment.means[outcome]) / base, adjusted.theta
    products = control.products / (control.count - 1)
    spread = (
        ratio**2 * products[outcome, outcome]
        - 2 * ratio * theta * products[outcome, covariate]
        + theta**2 * products[covariate, covariate]
    )
    variance = float(spread) / control.count + (adjusted.arms[1].variance or 0.0) / treatment.count
    error, lift = math.sqrt(variance) / abs(base), absolute.difference / abs(base)
    return compare_estimates(0.0, lift, standard_error=error, degrees=absolute.degrees, side=side, level=level)


def regress(outcomes: ArrayLike, covariates: ArrayLike, treated: ArrayLike, *, interacted: bool = False) -> Regression:
    """Return the treatment coefficient of a regression on treatment and covariate (ANCOVA).

    `interacted` fits one slope per arm: Lin (2013), Annals of Applied Statistics 7. The robust error is HC2 (White,
    MacKinnon).

    >>> round(regress([1.0, 2.0, 4.0, 5.0], [0.0, 1.0, 0.0, 1.0], [0, 0, 1, 1]).difference, 6)
    3.0
    """
    answers, known = np.asarray(outcomes, dtype=np.float64), np.asarray(covariates, dtype=np.float64)
    arm = np.asarray(treated, dtype=np.float64)
    if not answers.shape == known.shape == arm.shape or answers.ndim != 1 or len(set(arm.tolist())) != 2:
        raise ValueError(f"expected two arms and equal lengths, got {answers.shape}, {known.shape}, {arm.shape}")
    if not (np.all(np.abs(answers) < LARGEST) and np.all(np.abs(known) < LARGEST)):
        raise ValueError("expected numbers below 1e150 in size and none missing, in outcomes and covariates")
    centred = known - known.mean()
    columns = [np.ones_like(arm), arm, centred, *([arm * centred] if interacted else [])]
    return _least_squares(np.column_stack(columns), answers)


def _least_squares(table: Numbers, answers: Numbers) -> Regression:
    inverse = np.linalg.pinv(table)  # a constant covariate drops out
    coefficients = inverse @ answers
    residuals, free = answers - table @ coefficients, len(answers) - np.linalg.matrix_rank(table)
    if free < 1:
        return Regression(float(coefficients[1]), None, None)
    spread = float(residuals @ residuals) / int(free)
    leverage = np.einsum("ij,ji->i", table, inverse)
    scaled = residuals**2 / np.maximum(1 - leverage, 1e-12)
    robust = float(np.sum(inverse[1] ** 2 * scaled))
    return Regression(float(coefficients[1]), math.sqrt(spread * float(inverse[1] @ inverse[1])), math.sqrt(robust))


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
