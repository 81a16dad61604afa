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
    if min(sample.size for sample in samples) < 2:
        return _unjudged(means, "one row only: the spread cannot be estimated")
    variances = [float(sample.var(ddof=1)) / sample.size for sample in samples]
    if sum(variances) == 0:
        return _unjudged(means, "a constant in both: the spread cannot be estimated", same=means[0] == means[1])
    error, difference = math.sqrt(sum(variances)), means[1] - means[0]
    shares = [part**2 / (sample.size - 1) for part, sample in zip(variances, samples, strict=True)]
    degrees = sum(variances) ** 2 / sum(shares)
    reach = student_quantile((1 + level) / 2, degrees) * error
    t = difference / error
    p_value = student_p_value(t, degrees)
    return WelchTest(*means, difference, error, degrees, t, p_value, difference - reach, difference + reach, "")


def _unjudged(means: tuple[float, float], reason: str, *, same: bool = False) -> WelchTest:
    p_value = 1.0 if same else None
    return WelchTest(*means, means[1] - means[0], None, None, None, p_value, None, None, reason)
