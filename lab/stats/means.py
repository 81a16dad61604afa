"""Compare the means of two samples that share no row."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.probabilities import student_p_value, student_quantile


@dataclass(frozen=True)
class WelchTest:
    """Two means; the difference is second less first.

    The p-value and the interval are None where the spread cannot be estimated, and `reason` says why.
    """

    first: float
    second: float
    difference: float
    standard_error: float | None
    degrees: float | None
    t: float | None
    p_value: float | None
    low: float | None
    high: float | None
    reason: str


def compare_sample_means(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> WelchTest:
    """Return Welch's t-test (1947, Biometrika 34): the spreads of the samples may differ.

    >>> round(compare_sample_means([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]).p_value, 4)
    0.2209
    """
    samples = [np.asarray(sample, dtype=np.float64) for sample in (first, second)]
    if any(sample.size == 0 or not np.isfinite(sample).all() for sample in samples):
        raise ValueError(f"expected finite numbers, one or more, got {[sample.size for sample in samples]}")
    means = float(samples[0].mean()), float(samples[1].mean())
    variances = [float(sample.var(ddof=1)) if sample.size > 1 else 0.0 for sample in samples]
    summaries = [
        (mean, variance, sample.size) for mean, variance, sample in zip(means, variances, samples, strict=True)
    ]
    return compare_summaries(summaries[0], summaries[1], level=level)


def compare_summaries(
    first: tuple[float, float, float], second: tuple[float, float, float], *, level: float = 0.95
) -> WelchTest:
    """Return Welch's t-test of samples of which the mean, the variance and the number of rows are known."""
    (mean, variance, rows), (other_mean, other_variance, other_rows) = first, second
    means = mean, other_mean
    if min(rows, other_rows) < 2:
        return _unjudged(means, "one row only: the spread cannot be estimated")
    parts = variance / rows, other_variance / other_rows
    if sum(parts) == 0:
        return _unjudged(means, "a constant in both: the spread cannot be estimated", same=means[0] == means[1])
    error, difference = math.sqrt(sum(parts)), means[1] - means[0]
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / (rows - 1) + parts[1] ** 2 / (other_rows - 1))
    reach = student_quantile((1 + level) / 2, degrees) * error
    t = difference / error
    p_value = student_p_value(t, degrees)
    return WelchTest(*means, difference, error, degrees, t, p_value, difference - reach, difference + reach, "")


def _unjudged(means: tuple[float, float], reason: str, *, same: bool = False) -> WelchTest:
    p_value = 1.0 if same else None
    return WelchTest(*means, means[1] - means[0], None, None, None, p_value, None, None, reason)
