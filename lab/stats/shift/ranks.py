"""Tests and distances of two samples of numbers, computed from one merged sort."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lab.stats.core.contingency import CountsTest, compare_counts
from lab.stats.shift.distributions import Distribution, distribution_of, rounded_up

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

TAIL_SHARES = np.array([0.001, 0.01, 0.05, *np.arange(1, 10) / 10, 0.95, 0.99, 0.999])
OUTER_SHARE = 0.01
QUANTILE_BINS = 10
NORMAL_QUARTILES = 1.3489795003921634  # the distance between the quartiles of a standard normal


@dataclass(frozen=True)
class Merged:
    """The distinct values of two samples, and the rows of each at or below them; `spread` is that of the reference.

    With a thinned reference, `exact` is False: the distributions are known only at the values.
    """

    values: Numbers
    reference_below: Counts
    current_below: Counts
    spread: float
    exact: bool = True

    @property
    def rows(self) -> tuple[int, int]:
        """The rows of the reference and of the current sample."""
        return int(self.reference_below[-1]), int(self.current_below[-1])

    @property
    def reference_shares(self) -> Numbers:
        """The distribution function of the reference."""
        shares: Numbers = self.reference_below / self.reference_below[-1]
        return shares

    @property
    def current_shares(self) -> Numbers:
        """The distribution function of the current sample."""
        shares: Numbers = self.current_below / self.current_below[-1]
        return shares


@dataclass(frozen=True)
class KolmogorovSmirnovTest:
    """The largest distance between two distribution functions, and its p-value."""

    distance: float
    p_value: float


@dataclass(frozen=True)
class TailsTest:
    """A chi-square test on bins of pooled quantiles, and the larger of the changes in the lowest and highest 1 %."""

    test: CountsTest
    outer_change: float


def merge(reference: ArrayLike, current: ArrayLike) -> Merged:
    """Return two samples sorted and merged; they may contain infinite values, must not be empty or contain NaN."""
    return merge_distributions(distribution_of(reference), distribution_of(current))


def merge_distributions(reference: Distribution, current: Distribution) -> Merged:
    """Return two distributions merged; an exact one is rounded to the values of a thinned reference."""
    if not reference.exact:
        current = rounded_up(current, reference.values)
    both = np.concatenate([reference.values, current.values])
    both.sort(kind="stable")  # two sorted runs: this only merges them
    values = both[np.append(both[1:] != both[:-1], True)]
    return Merged(values, _below(reference, values), _below(current, values), reference.spread, reference.exact)


def kolmogorov_smirnov(merged: Merged, *, inflation: tuple[float, float] = (1.0, 1.0)) -> KolmogorovSmirnovTest:
    """Return the two-sample Kolmogorov–Smirnov test.

    The p-value is Kolmogorov's limit with Stephens' correction (1970, Journal of the Royal Statistical Society B 32),
    conservative with many ties. The rows of each sample are divided by its design effect `inflation`
    (lab/stats/shift/dependence.py).

    >>> kolmogorov_smirnov(merge([1, 2, 2, 3], [2, 3, 4, 4])).distance
    0.5
    """
    distance = float(np.max(np.abs(merged.reference_shares - merged.current_shares)))
    rows, current_rows = (count / factor for count, factor in zip(merged.rows, inflation, strict=True))
    effective = np.sqrt(rows * current_rows / (rows + current_rows))
    p_value = float(special.kolmogorov((effective + 0.12 + 0.11 / effective) * distance))
    return KolmogorovSmirnovTest(distance, min(1.0, p_value))


def wasserstein_distance(merged: Merged) -> float:
    """Return the area between two distribution functions, in the units of the values; all must be finite.

    With a thinned reference, the functions are interpolated linearly.

    >>> wasserstein_distance(merge([0, 1, 3], [5, 6, 8]))
    5.0
    """
    gaps = np.abs(merged.reference_shares - merged.current_shares)
    heights = gaps[:-1] if merged.exact else (gaps[:-1] + gaps[1:]) / 2
    return float(np.sum(heights * np.diff(merged.values)))


def robust_spread(merged: Merged) -> float:
    """Return the interquartile range of the reference, scaled to the standard deviation of a normal sample."""
    rows = merged.rows[0]
    lower, upper = _ranked(merged, np.array([rows // 4, (3 * rows) // 4]))
    return float(upper - lower) / NORMAL_QUARTILES


def tails_test(merged: Merged, *, inflation: float = 1.0) -> TailsTest:
    """Return a chi-square test on bins that are narrow in both tails, where Kolmogorov–Smirnov has little power.

    The bins are quantiles of both samples together, which keeps the test valid. Equal values share a bin.
    """
    counts = _count_by_pooled_share(merged, TAIL_SHARES)
    shares = counts / counts.sum(axis=1, keepdims=True)
    return TailsTest(compare_counts(counts, inflation=inflation), _outer_change(shares))


def largest_single_change(merged: Merged) -> float:
    """Return the largest change in the share of a single value: a spike, such as a filled-in default."""
    reference, current = count_per_value(merged)
    return float(np.max(np.abs(current / merged.rows[1] - reference / merged.rows[0])))


def quantile_edges(merged: Merged, bins: int = QUANTILE_BINS) -> Numbers:
    """Return the upper edges of all bins but the last, by quantiles of the reference; ties give fewer bins."""
    indices = (np.arange(1, bins) * merged.rows[0] + bins - 1) // bins - 1
    edges: Numbers = np.unique(_ranked(merged, indices))
    inner: Numbers = edges[edges < merged.values[-1]]
    return inner


def count_in_bins(merged: Merged, edges: Numbers) -> tuple[Counts, Counts]:
    """Return the rows of both samples in the bins up to each edge (inclusive), and above the last."""
    ends = np.append(np.searchsorted(merged.values, edges, side="right"), len(merged.values))
    reference, current = (
        np.diff(np.concatenate([[0], below])[ends], prepend=0)
        for below in (merged.reference_below, merged.current_below)
    )
    return reference, current


def count_per_value(merged: Merged) -> tuple[Counts, Counts]:
    """Return the rows of both samples with each distinct value."""
    return np.diff(merged.reference_below, prepend=0), np.diff(merged.current_below, prepend=0)


def _below(sample: Distribution, values: Numbers) -> Counts:
    counted: Counts = np.concatenate([[0], sample.below])[np.searchsorted(sample.values, values, side="right")]
    return counted


def _ranked(merged: Merged, indices: Counts) -> Numbers:
    """Return the values of the reference at indices of its sorted order."""
    found: Numbers = merged.values[np.searchsorted(merged.reference_below, indices, side="right")]
    return found


def _count_by_pooled_share(merged: Merged, shares: Numbers) -> Counts:
    below = merged.reference_below + merged.current_below
    middle = (below + np.concatenate([[0], below[:-1]])) / (2 * below[-1])
    ends = np.append(np.searchsorted(middle, shares, side="right"), len(middle))
    counts = [np.concatenate([[0], own])[ends] for own in (merged.reference_below, merged.current_below)]
    return np.diff(np.stack(counts), prepend=0, axis=1)


def _outer_change(shares: Numbers) -> float:
    lowest = int(np.searchsorted(TAIL_SHARES, OUTER_SHARE, side="right"))
    highest = int(np.searchsorted(TAIL_SHARES, 1 - OUTER_SHARE)) + 1
    low, high = (part.sum(axis=1) for part in (shares[:, :lowest], shares[:, highest:]))
    return float(max(abs(low[1] - low[0]), abs(high[1] - high[0])))
