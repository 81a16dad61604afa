"""Stratified comparisons: post-stratification and the Cochran–Mantel–Haenszel test."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.arm_means import Summary, welch_degrees
from lab.stats.core.comparison import Comparison, compare_estimates, undefined
from lab.stats.core.probabilities import chi_square_p_value, normal_quantile

Numbers = NDArray[np.float64]
Stratum = tuple[Summary, Summary]


@dataclass(frozen=True)
class PostStratified:
    """The difference and the lift, with both arms weighted to the strata shares of all units."""

    absolute: Comparison
    relative: Comparison


@dataclass(frozen=True)
class StratifiedTest:
    """The Cochran–Mantel–Haenszel chi-square of several two-by-two tables, and their common odds ratio.

    The odds ratio is treatment over control, None when undefined because of a count of 0.
    """

    statistic: float | None
    p_value: float | None
    odds_ratio: float | None
    low: float | None
    high: float | None
    reason: str


def post_stratify(strata: Sequence[Stratum], *, level: float = 0.95) -> PostStratified:
    """Return the comparison of two arms, each stratum given as (control, treatment), weighted by stratum size.

    The standard error accounts for random stratum sizes. Miratrix, Sekhon and Yu (2013), Journal of the Royal
    Statistical Society B 75; the degrees of freedom are Welch's for the whole arms.
    """
    sizes = np.array([[control.count, treatment.count] for control, treatment in strata], dtype=np.float64)
    means = np.array([[control.mean, treatment.mean - control.mean] for control, treatment in strata])
    shares = sizes.sum(axis=1) / sizes.sum()
    control, difference = (float(part) for part in shares @ means)
    if np.any(sizes == 0) or any(arm.variance is None for pair in strata for arm in pair):
        lacking = undefined(control, control + difference, "undefined: a stratum has fewer than two units in an arm")
        return PostStratified(lacking, lacking)
    covariance = _covariance(strata, means, shares, sizes)
    degrees = _degrees(strata)
    error = math.sqrt(max(0.0, float(covariance[1, 1])))
    absolute = compare_estimates(control, control + difference, standard_error=error, degrees=degrees, level=level)
    if control == 0:
        return PostStratified(absolute, undefined(0.0, 0.0, "undefined: the control value is 0"))
    slope = np.array([-difference / control, 1.0]) / abs(control)
    error = math.sqrt(max(0.0, float(slope @ covariance @ slope)))
    lift = difference / abs(control)
    relative = compare_estimates(0.0, lift, standard_error=error, degrees=degrees, level=level)
    return PostStratified(absolute, relative)


def stratified_test(tables: ArrayLike, *, level: float = 0.95) -> StratifiedTest:
    """Return the test of one table [[control successes, failures], [treatment successes, failures]] per stratum.

    Mantel and Haenszel (1959); interval of the odds ratio: Robins, Breslow and Greenland (1986).

    >>> found = stratified_test([[[30, 470], [45, 455]], [[12, 188], [20, 180]], [[60, 240], [70, 230]]])
    >>> round(found.statistic or 0, 4), round(found.odds_ratio or 0, 4)
    (5.4189, 1.3924)
    """
    counts = np.asarray(tables, dtype=np.float64)
    if counts.ndim != 3 or counts.shape[1:] != (2, 2) or (counts.size and counts.min() < 0):
        raise ValueError(f"expected a two-by-two table of counts for each stratum, got {counts.shape}")
    counts = counts[counts.sum(axis=(1, 2)) > 1]
    apart, variance = _hypergeometric(counts)
    if variance == 0:
        return StratifiedTest(*(None,) * 5, reason="undefined: no stratum has both arms and both outcomes")
    statistic = apart**2 / variance
    odds_ratio, error = _odds_ratio(counts)
    reach = normal_quantile((1 + level) / 2) * error if error is not None else None
    return StratifiedTest(
        statistic=statistic,
        p_value=chi_square_p_value(statistic, 1),
        odds_ratio=odds_ratio,
        low=odds_ratio * math.exp(-reach) if odds_ratio and reach is not None else None,
        high=odds_ratio * math.exp(reach) if odds_ratio and reach is not None else None,
        reason="" if odds_ratio else "no odds ratio: an outcome is missing in an arm",
    )


def _covariance(strata: Sequence[Stratum], means: Numbers, shares: Numbers, sizes: Numbers) -> Numbers:
    """Return the covariance matrix of the control mean and the difference over all strata."""
    of_shares = (np.diag(shares) - np.outer(shares, shares)) / sizes.sum()
    covariance = means.T @ of_shares @ means
    for share, (control, treatment) in zip(shares, strata, strict=True):
        parts = (control.variance or 0.0) / control.count, (treatment.variance or 0.0) / treatment.count
        covariance += share**2 * np.array([[parts[0], -parts[0]], [-parts[0], parts[0] + parts[1]]])
    result: Numbers = covariance
    return result


def _degrees(strata: Sequence[Stratum]) -> float | None:
    parts, counts = [], []
    for arm in (0, 1):
        groups = [pair[arm] for pair in strata]
        count = sum(group.count for group in groups)
        mean = sum(group.count * group.mean for group in groups) / count
        squares = sum(group.count * ((group.variance or 0.0) + (group.mean - mean) ** 2) for group in groups)
        parts.append(squares / count**2)
        counts.append(count)
    return welch_degrees((parts[0], parts[1]), (counts[0], counts[1])) if sum(parts) > 0 else None


def _hypergeometric(counts: Numbers) -> tuple[float, float]:
    """Return the treated successes minus their expectation over all strata, and the variance."""
    totals = counts.sum(axis=(1, 2))
    arms, outcomes = counts.sum(axis=2), counts.sum(axis=1)
    expected = arms[:, 1] * outcomes[:, 0] / totals
    variance = arms.prod(axis=1) * outcomes.prod(axis=1) / (totals**2 * (totals - 1))
    return float(np.sum(counts[:, 1, 0] - expected)), float(np.sum(variance))


def _odds_ratio(counts: Numbers) -> tuple[float | None, float | None]:
    """Return the common odds ratio, treatment over control, and the standard error of its logarithm."""
    totals = counts.sum(axis=(1, 2))
    above = counts[:, 1, 0] * counts[:, 0, 1] / totals
    below = counts[:, 1, 1] * counts[:, 0, 0] / totals
    if above.sum() == 0 or below.sum() == 0:
        return None, None
    agree = (counts[:, 1, 0] + counts[:, 0, 1]) / totals
    differ = (counts[:, 1, 1] + counts[:, 0, 0]) / totals
    variance = (
        np.sum(agree * above) / above.sum() ** 2
        + np.sum(agree * below + differ * above) / (above.sum() * below.sum())
        + np.sum(differ * below) / below.sum() ** 2
    ) / 2
    return float(above.sum() / below.sum()), math.sqrt(float(variance))
