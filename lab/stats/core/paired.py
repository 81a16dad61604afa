"""Paired t-test of two measurements of the same rows."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.clusters import clustered_test, repeated_units
from lab.stats.core.log_odds import SMALLEST_PROBABILITY
from lab.stats.core.probabilities import student_p_value, student_quantile

Numbers = NDArray[np.float64]
ROUNDING = 8 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class PairedMeans:
    """Two means over the same rows; the difference is second minus first.

    The p-value and the interval are None where the variance cannot be estimated; `reason` says why.
    """

    first: float
    second: float
    difference: float
    standard_error: float | None
    degrees: int
    t: float | None
    p_value: float | None
    low: float | None
    high: float | None
    effect: float | None
    reason: str


def compare_means(
    first: ArrayLike, second: ArrayLike, *, units: ArrayLike | None = None, level: float = 0.95
) -> PairedMeans:
    """Return the paired t-test (Student, 1908); `effect` is Cohen's d of the differences.

    Where units repeat, the differences are added up within each unit, and degrees are the units less one. The p-value
    is 1 for equal columns, and None when the difference is the same in every row (no variance).

    >>> round(compare_means([1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 4.0, 4.5]).t, 6)
    2.44949
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != two.shape or one.size == 0 or not np.isfinite(one).all() or not np.isfinite(two).all():
        raise ValueError(f"expected two columns of equal length, finite and not empty; got {one.shape} and {two.shape}")
    differences = two - one
    mean, degrees = float(differences.mean()), one.size - 1
    means = float(one.mean()), float(two.mean()), mean
    if not differences.any():
        return PairedMeans(*means, 0.0, degrees, 0.0, 1.0, 0.0, 0.0, 0.0, "equal in every row")
    if degrees == 0:
        return PairedMeans(*means, None, 0, None, None, None, None, None, "one row: the variance cannot be estimated")
    deviation = float(differences.std(ddof=1))
    if deviation <= ROUNDING * max(float(np.abs(one).max()), float(np.abs(two).max())):
        reason = "the difference is the same in every row: its variance cannot be estimated"
        return PairedMeans(*means, None, degrees, None, None, None, None, None, reason)
    effect = mean / deviation
    if (codes := repeated_units(units)) is not None:
        found = clustered_test(mean, (differences - mean) / one.size, codes, level=level)
        ends = found.p_value, found.low, found.high
        return PairedMeans(*means, found.standard_error, found.degrees, found.t, *ends, effect, found.reason)
    error = deviation / math.sqrt(one.size)
    half_width = student_quantile((1 + level) / 2, degrees) * error
    p_value = student_p_value(mean / error, degrees)
    return PairedMeans(
        *means, error, degrees, mean / error, p_value, mean - half_width, mean + half_width, effect, reason=""
    )


def log_losses(labels: ArrayLike, probabilities: ArrayLike) -> Numbers:
    """Return the log loss of each row; probabilities are clipped to [5e-7, 1 - 5e-7], so it is finite."""
    p = np.clip(np.asarray(probabilities, dtype=np.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses: Numbers = -np.log(np.where(np.asarray(labels).astype(bool), p, 1 - p))
    return losses


def squared_errors(labels: ArrayLike, probabilities: ArrayLike) -> Numbers:
    """Return the squared error of each row; its mean is the Brier score."""
    errors: Numbers = (np.asarray(probabilities, dtype=np.float64) - np.asarray(labels, dtype=np.float64)) ** 2
    return errors
