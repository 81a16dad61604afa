"""The bootstrap of a mean of paired differences: exact for a handful of rows, drawn for more."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lab.stats.core.arm_means import LARGEST
from lab.stats.core.probabilities import normal_quantile

Numbers = NDArray[np.float64]
MOST_WAYS = 200_000  # ways to draw n rows out of n, as counts; ten rows have 92,378
DRAWN_AT_ONCE = 2_000_000  # numbers


@dataclass(frozen=True)
class IdealBootstrap:
    """The distribution of the mean over all resamples there are: its standard error, and the shares at or below 0."""

    mean: float
    standard_error: float
    at_most_zero: float
    below_zero: float


@dataclass(frozen=True)
class BootstrapMean:
    """The mean of the differences with two intervals: by percentiles, and corrected for bias and skewness (BCa).

    `ideal_error` is the standard error that infinitely many resamples would give. `p_value` doubles the share of
    resampled means on the far side of 0, the sample itself counted.
    """

    mean: float
    ideal_error: float
    low: float
    high: float
    corrected_low: float
    corrected_high: float
    p_value: float
    reason: str


def ideal_bootstrap(differences: ArrayLike) -> IdealBootstrap:
    """Return the bootstrap over every resample, without drawing any: up to ten rows.

    Fisher and Hall (1991), Statistics and Probability Letters 11.

    >>> found = ideal_bootstrap([1.0, 0.0, 1.0, -1.0, 1.0, 0.0])
    >>> round(found.at_most_zero, 6), round(found.below_zero, 6)
    (0.20409, 0.090835)
    """
    rows = _checked(differences)
    if math.comb(2 * rows.size - 1, rows.size) > MOST_WAYS:
        raise ValueError(f"expected ten rows at most, got {rows.size}: draw resamples instead, with bootstrap_mean")
    values, counts = np.unique(rows, return_counts=True)
    ways = _ways(rows.size, values.size)
    logs = special.gammaln(rows.size + 1) - special.gammaln(ways + 1).sum(axis=1) + ways @ np.log(counts / rows.size)
    chances, means = np.exp(logs), ways @ values / rows.size
    mean, near = float(rows.mean()), 1e-12 * float(np.abs(rows).max())
    spread = math.sqrt(float(np.sum(chances * (means - mean) ** 2)))
    return IdealBootstrap(mean, spread, float(chances[means <= near].sum()), float(chances[means < -near].sum()))


def bootstrap_mean(
    differences: ArrayLike, *, resamples: int, rng: np.random.Generator, level: float = 0.95
) -> BootstrapMean:
    """Return the bootstrap of the mean; equal rows have no spread, and `reason` says so.

    Efron (1987), Journal of the American Statistical Association 82, for the corrected interval.
    """
    rows = _checked(differences)
    mean, error = float(rows.mean()), float(np.std(rows)) / math.sqrt(rows.size)
    if not np.any(rows != rows[0]):
        p_value = 1.0 if mean == 0 else 2 / (resamples + 1)
        return BootstrapMean(mean, 0.0, mean, mean, mean, mean, p_value, "the same in every row")
    means = np.sort(_drawn_means(rows, resamples, rng))
    tails = (1 - level) / 2, (1 + level) / 2
    low, high = (float(end) for end in np.quantile(means, tails))
    corrected = [_corrected_share(share, means, rows) for share in tails]
    corrected_low, corrected_high = (float(end) for end in np.quantile(means, corrected))
    smaller = min(int(np.sum(means <= 0)), int(np.sum(means >= 0)))
    p_value = min(1.0, 2 * (smaller + 1) / (resamples + 1))
    return BootstrapMean(mean, error, low, high, corrected_low, corrected_high, p_value, "")


def _drawn_means(rows: Numbers, resamples: int, rng: np.random.Generator) -> Numbers:
    batch = max(1, DRAWN_AT_ONCE // rows.size)
    parts = [
        rows[rng.integers(0, rows.size, (min(batch, resamples - start), rows.size))].mean(axis=1)
        for start in range(0, resamples, batch)
    ]
    return np.concatenate(parts)


def _corrected_share(share: float, means: Numbers, rows: Numbers) -> float:
    """Return which percentile stands for the share once bias and skewness are put right."""
    middle = float(rows.mean())
    below = (float(np.sum(means < middle)) + float(np.sum(means <= middle))) / (2 * means.size)
    bias = normal_quantile(min(max(below, 1 / means.size), 1 - 1 / means.size))
    away = rows - middle
    skew = float(np.sum(away**3)) / (6 * float(np.sum(away**2)) ** 1.5)  # of the jackknife: a mean's is the rows' own
    point = bias + normal_quantile(share)
    return float(special.ndtr(bias + point / (1 - skew * point)))


def _ways(rows: int, kinds: int) -> Numbers:
    """Return every way to split so many rows over so many kinds, one way a line."""
    if kinds == 1:
        return np.full((1, 1), float(rows))
    parts = []
    for first in range(rows + 1):
        rest = _ways(rows - first, kinds - 1)
        parts.append(np.column_stack([np.full(len(rest), float(first)), rest]))
    return np.concatenate(parts)


def _checked(differences: ArrayLike) -> Numbers:
    rows = np.asarray(differences, dtype=np.float64)
    if rows.ndim != 1 or rows.size == 0 or not np.all(np.abs(rows) < LARGEST):
        raise ValueError(f"expected differences below 1e150 in size, one or more and none missing, got {rows.shape}")
    return rows
