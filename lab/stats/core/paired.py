"""Compare two measurements of the same rows by their mean difference."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.log_odds import SMALLEST_PROBABILITY
from lab.stats.core.probabilities import student_p_value, student_quantile

Numbers = NDArray[np.float64]
ROUNDING = 8 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class PairedMeans:
    """Two means over the same rows; the difference is second less first.

    The p-value and the interval are None where the spread cannot be estimated, and `reason` says why.
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


def compare_means(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> PairedMeans:
    """Return the paired t-test (Student, 1908); `effect` is Cohen's d of the differences.

    Equal columns do not differ: p-value 1. A difference that is the same in every row has no spread, so no p-value.

    >>> round(compare_means([1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 4.0, 4.5]).t, 6)
    2.44949
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != two.shape or one.size == 0 or not np.isfinite(one).all() or not np.isfinite(two).all():
        raise ValueError(f"expected the same rows twice, finite numbers, one or more; got {one.shape} and {two.shape}")
    differences = two - one
    mean, degrees = float(differences.mean()), one.size - 1
    means = float(one.mean()), float(two.mean()), mean
    if not differences.any():
        return PairedMeans(*means, 0.0, degrees, 0.0, 1.0, 0.0, 0.0, 0.0, "equal in every row")
    if degrees == 0:
        return PairedMeans(*means, None, 0, None, None, None, None, None, "one row: the spread cannot be estimated")
    deviation = float(differences.std(ddof=1))
    if deviation <= ROUNDING * max(float(np.abs(one).max()), float(np.abs(two).max())):
        reason = "the difference is the same in every row: its spread cannot be estimated"
        return PairedMeans(*means, None, degrees, None, None, None, None, None, reason)
    error = deviation / math.sqrt(one.size)
    reach = student_quantile((1 + level) / 2, degrees) * error
    p_value = student_p_value(mean / error, degrees)
    return PairedMeans(
        *means, error, degrees, mean / error, p_value, mean - reach, mean + reach, mean / deviation, reason=""
    )


def log_losses(labels: ArrayLike, probabilities: ArrayLike) -> Numbers:
    """Return each row's log loss; probabilities are kept 5e-7 away from 0 and 1, so that one row cannot be infinite."""
    chances = np.clip(np.asarray(probabilities, dtype=np.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses: Numbers = -np.log(np.where(np.asarray(labels).astype(bool), chances, 1 - chances))
    return losses


def squared_errors(labels: ArrayLike, probabilities: ArrayLike) -> Numbers:
    """Return each row's squared error of the probability, whose mean is the Brier score."""
    errors: Numbers = (np.asarray(probabilities, dtype=np.float64) - np.asarray(labels, dtype=np.float64)) ** 2
    return errors
