"""Variance reduction by pre-experiment covariates: CUPED."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.arm_means import Summary, compare_arm_means
from lab.stats.core.comparison import Comparison, compare_estimates, undefined
from lab.stats.experiments.moments import Moments, merge_moments

COLLINEAR_BELOW = 1e-10  # eigenvalues of the correlations; a smaller one is a covariate that others already contain
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Adjustment:
    """Arms after adjustment for covariates, with one θ per covariate for all arms.

    `variance_ratio` is the variance after over before adjustment, of all units.
    """

    theta: tuple[float, ...]
    arms: tuple[Summary, ...]
    variance_ratio: float
    reason: str


def adjust_for_covariates(arms: Sequence[Moments], *, outcome: int, covariates: Sequence[int]) -> Adjustment:
    """Return the CUPED-adjusted arms; the covariates must date from before exposure.

    θ is estimated from all arms together, so the difference stays unbiased. Deng, Xu, Kohavi and Walker (2013),
    Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data.
    """
    if len(arms) < 2 or min(arm.count for arm in arms) < 1:
        raise ValueError(f"expected two arms or more with at least one unit each, got {[arm.count for arm in arms]}")
    everyone = merge_moments(arms)
    theta = _slopes(everyone, [outcome], covariates)
    total = float(everyone.products[outcome, outcome])
    explained = float(everyone.products[outcome, _places(covariates)] @ theta[:, 0])
    left = residual_moments(arms, outcomes=[outcome], covariates=covariates)
    varies = any(everyone.products[place, place] > 0 for place in covariates)
    return Adjustment(
        theta=tuple(float(slope) for slope in theta[:, 0]),
        arms=tuple(arm.summary(0) for arm in left),
        variance_ratio=max(0.0, 1 - explained / total) if total > 0 else 1.0,
        reason="" if varies else "the covariate is constant, so it explains nothing",
    )


def residual_moments(
    parts: Sequence[Moments], *, outcomes: Sequence[int], covariates: Sequence[int], within_parts: bool = False
) -> list[Moments]:
    """Return the moments of the outcomes in each part, minus what the covariates explain.

    The slopes are those over all units, or those `within_parts`. A mean is the one that the part would have at the
    covariates' mean over all units.
    """
    everyone = merge_moments(parts)
    middle = everyone.means[_places(covariates)]
    if within_parts:
        everyone = Moments(everyone.count, everyone.means, np.sum([part.products for part in parts], axis=0))
    theta = _slopes(everyone, outcomes, covariates)
    return [_residual(part, theta, middle, _places(outcomes), _places(covariates)) for part in parts]


def lift_after_adjustment(
    control: Moments, treatment: Moments, *, outcome: int, covariates: Sequence[int], level: float = 0.95
) -> Comparison:
    """Return the adjusted difference over the unadjusted control mean, by the delta method at balanced covariates."""
    adjusted = adjust_for_covariates([control, treatment], outcome=outcome, covariates=covariates)
    absolute = compare_arm_means(adjusted.arms[0], adjusted.arms[1])
    base = float(control.means[outcome])
    if base == 0 or absolute.standard_error is None:
        reason = absolute.reason or "undefined: the control value is 0, so there is no lift"
        return undefined(0.0, 0.0, reason)
    weights = np.array([float(treatment.means[outcome]) / base, *(-slope for slope in adjusted.theta)])
    places = _places([outcome, *covariates])
    spread = weights @ control.products[np.ix_(places, places)] @ weights / (control.count - 1)
    variance = max(0.0, float(spread)) / control.count + (adjusted.arms[1].variance or 0.0) / treatment.count
    error, lift = math.sqrt(variance) / abs(base), absolute.difference / abs(base)
    return compare_estimates(0.0, lift, standard_error=error, degrees=absolute.degrees, level=level)


def _places(columns: Sequence[int]) -> NDArray[np.intp]:
    return np.array(columns, dtype=np.intp)


def _slopes(everyone: Moments, outcomes: Sequence[int], covariates: Sequence[int]) -> Numbers:
    """Return the slopes of each outcome (a column) on the covariates together; 0 on a constant covariate."""
    places = _places(covariates)
    spread = everyone.products[np.ix_(places, places)]
    shared = everyone.products[np.ix_(places, _places(outcomes))]
    scale = np.sqrt(np.diag(spread))
    scale = np.where(scale > 0, scale, 1.0)
    inverse = np.linalg.pinv(spread / np.outer(scale, scale), rcond=COLLINEAR_BELOW, hermitian=True)
    slopes: Numbers = inverse @ (shared / scale[:, None]) / scale[:, None]
    return slopes


def _residual(
    part: Moments, theta: Numbers, middle: Numbers, outcomes: NDArray[np.intp], covariates: NDArray[np.intp]
) -> Moments:
    products, cross = part.products, part.products[np.ix_(outcomes, covariates)] @ theta
    left = products[np.ix_(outcomes, outcomes)] - cross - cross.T
    left = left + theta.T @ products[np.ix_(covariates, covariates)] @ theta
    np.fill_diagonal(left, np.maximum(np.diag(left), 0.0))
    return Moments(part.count, part.means[outcomes] - (part.means[covariates] - middle) @ theta, left)
