"""Tests of several arms: Welch's ANOVA, Dunnett's comparisons with a control."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lab.stats.core.arm_means import Summary, variance_of
from lab.stats.core.probabilities import f_p_value
from lab.stats.experiments.quadrature import panels
from lab.stats.experiments.roots import find_root, widen

Numbers = NDArray[np.float64]
NO_SPREAD = "undefined: zero variance"


@dataclass(frozen=True)
class VarianceRatioTest:
    """An F test of the means of several arms; None, with a reason, when the variance within arms is unknown."""

    statistic: float | None
    degrees: tuple[float, float]
    p_value: float | None
    reason: str


@dataclass(frozen=True)
class ManyToOne:
    """Each treatment against one control: t statistics, adjusted p-values, simultaneous intervals."""

    statistics: tuple[float, ...]
    p_values: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    reason: str


def compare_several_means(arms: Sequence[Summary]) -> VarianceRatioTest:
    """Return Welch's F test (1951, Biometrika 38), which allows unequal variances.

    >>> arms = [Summary(12, 12.34, 0.31), Summary(14, 12.59, 0.31), Summary(8, 13.1, 0.17)]
    >>> round(compare_several_means(arms).p_value or 0, 4)
    0.0076
    """
    if len(arms) < 2:
        raise ValueError(f"expected two arms or more, got {len(arms)}")
    return _welch(arms)


def compare_with_control(control: Summary, treatments: Sequence[Summary], *, level: float = 0.95) -> ManyToOne:
    """Return Dunnett's comparisons (1955, Journal of the American Statistical Association 50), with a pooled variance.

    The p-values come from quadrature over what all comparisons share: the control mean and the variance estimate.

    >>> found = compare_with_control(Summary(12, 12.34, 0.31), [Summary(14, 12.59, 0.31), Summary(8, 13.1, 0.17)])
    >>> [round(p, 3) for p in found.p_values]
    [0.391, 0.007]
    """
    arms = [control, *treatments]
    degrees = sum(arm.count for arm in arms) - len(arms)
    squares = sum(variance_of(arm) * (arm.count - 1) for arm in arms)
    differences = [arm.mean - control.mean for arm in treatments]
    if degrees < 1 or squares == 0:
        return ManyToOne((), (), (), (), NO_SPREAD)
    spread = math.sqrt(squares / degrees)
    errors = [spread * math.sqrt(1 / control.count + 1 / arm.count) for arm in treatments]
    statistics = [difference / error for difference, error in zip(differences, errors, strict=True)]
    loads = np.array([math.sqrt(arm.count / (arm.count + control.count)) for arm in treatments])
    largest = _critical(tuple(loads.tolist()), degrees, level)
    return ManyToOne(
        tuple(statistics),
        tuple(any_beyond(abs(t), loads, degrees) for t in statistics),
        tuple(difference - largest * error for difference, error in zip(differences, errors, strict=True)),
        tuple(difference + largest * error for difference, error in zip(differences, errors, strict=True)),
        "",
    )


def any_beyond(t: float, loads: Numbers, degrees: float) -> float:
    """Return the probability that any of several t statistics with a common control exceeds t in absolute value.

    `loads` are the square roots of the shares of treated units in each pair of arms; the correlation of two statistics
    is the product of their loads.

    >>> round(any_beyond(2.0, np.array([0.5]), 20), 6)  # one comparison: Student's
    0.059266
    """
    if t <= 0:
        return 1.0
    shared, weights = panels(-9.0, 9.0, 6)
    weights = weights * np.exp(-(shared**2) / 2) / math.sqrt(2 * math.pi)
    scales, scale_weights = _spreads(degrees)
    rest = np.sqrt(1 - loads**2)[:, None, None]
    middle, limit = loads[:, None, None] * shared[None, :, None], t * scales[None, None, :]
    outside = special.ndtr((middle - limit) / rest) + special.ndtr((-middle - limit) / rest)
    with np.errstate(divide="ignore"):
        any_outside = -np.expm1(np.sum(np.log1p(-np.minimum(outside, 1.0)), axis=0))
    return float(min(1.0, np.einsum("i,ij,j->", weights, any_outside, scale_weights)))


@lru_cache
def _critical(loads: tuple[float, ...], degrees: float, level: float) -> float:
    def excess(t: float) -> float:
        return any_beyond(t, np.array(loads), degrees) - (1 - level)

    return find_root(excess, 0.0, widen(excess, 0.0, 4.0))


def _spreads(degrees: float) -> tuple[Numbers, Numbers]:
    """Return points and weights for the distribution of the estimated over the true standard deviation."""
    low, high = (
        math.sqrt(2 * float(special.gammaincinv(degrees / 2, share)) / degrees) for share in (1e-16, 1 - 1e-15)
    )
    points, weights = panels(low, high, 4)
    logs = (degrees - 1) * np.log(points) - degrees * points**2 / 2
    weights = weights * np.exp(logs - logs.max())
    return points, weights / weights.sum()


def _welch(arms: Sequence[Summary]) -> VarianceRatioTest:
    spreads = [variance_of(arm) for arm in arms]
    if min(spreads) == 0:
        return VarianceRatioTest(None, (len(arms) - 1.0, 0.0), None, NO_SPREAD)
    smallest = min(spreads)  # only ratios matter; dividing avoids overflow
    weights = [arm.count / (spread / smallest) for arm, spread in zip(arms, spreads, strict=True)]
    total = sum(weights)
    mean = sum(weight * arm.mean for weight, arm in zip(weights, arms, strict=True)) / total
    between = sum(weight * (arm.mean - mean) ** 2 for weight, arm in zip(weights, arms, strict=True))
    unsure = sum((1 - weight / total) ** 2 / (arm.count - 1) for weight, arm in zip(weights, arms, strict=True))
    k = len(arms)
    ratio = between / smallest / (k - 1) / (1 + 2 * (k - 2) / (k * k - 1) * unsure)
    return _tested(ratio, (k - 1.0, (k * k - 1) / (3 * unsure)))


def _tested(ratio: float, degrees: tuple[float, float]) -> VarianceRatioTest:
    if not math.isfinite(ratio):
        return VarianceRatioTest(
            None, degrees, None, "undefined: the variance is too small compared with the differences"
        )
    return VarianceRatioTest(ratio, degrees, f_p_value(ratio, degrees), "")
