"""Welch's two-sample t-test from counts, means and variances."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lab.stats.core.comparison import Comparison, Side, compare_estimates, undefined

ROUNDING = 8 * np.finfo(np.float64).eps
Reference = Literal["student", "normal"]


@dataclass(frozen=True)
class Summary:
    """Count, mean and variance of an arm; the variance divides by n − 1 and is None for one unit.

    The count may be a fraction: an effective sample size for correlated rows.
    """

    count: float
    mean: float
    variance: float | None


def compare_arm_means(
    control: Summary,
    treatment: Summary,
    *,
    reference: Reference = "student",
    null: float = 0.0,
    side: Side = "two-sided",
    level: float = 0.95,
) -> Comparison:
    """Return Welch's t-test of two arms from their summaries, or a z-test with the normal reference.

    >>> round(compare_arm_means(Summary(12, 12.34, 0.31), Summary(14, 12.59, 0.31)).statistic or 0, 4)
    1.1414
    """
    if min(control.count, treatment.count) < 1:
        raise ValueError(f"expected at least one unit in each arm, got {control.count} and {treatment.count}")
    try:
        error, degrees = _welch(control, treatment)
    except ZeroDivisionError:
        return undefined(control.mean, treatment.mean, "undefined: zero variance")
    if error is None:
        return undefined(control.mean, treatment.mean, "undefined: one unit in an arm, its variance is unknown")
    return compare_estimates(
        control.mean,
        treatment.mean,
        standard_error=error,
        degrees=degrees if reference == "student" else None,
        null=null,
        side=side,
        level=level,
    )


def welch_degrees(parts: tuple[float, float], counts: tuple[float, float]) -> float:
    """Return the Welch–Satterthwaite degrees of freedom for two variances of means.

    >>> round(welch_degrees((0.1, 0.1), (10, 10)), 6)
    18.0
    """
    first, second = parts
    largest = max(first, second)
    shares = first / largest, second / largest  # the squares of small variances would underflow
    return (shares[0] + shares[1]) ** 2 / sum(
        share**2 / (count - 1) for share, count in zip(shares, counts, strict=True)
    )


def variance_of(arm: Summary) -> float:
    """Return the variance of an arm, 0 where it is only a rounding error of equal values.

    >>> variance_of(Summary(9, 1e12, 1e-9))
    0.0
    """
    variance = arm.variance or 0.0
    return variance if variance > (ROUNDING * arm.mean) ** 2 else 0.0


def _welch(control: Summary, treatment: Summary) -> tuple[float | None, float]:
    if control.variance is None or treatment.variance is None or min(control.count, treatment.count) < 2:
        return None, 0.0
    parts = variance_of(control) / control.count, variance_of(treatment) / treatment.count
    return math.sqrt(sum(parts)), welch_degrees(parts, (control.count, treatment.count))
