"""Compare two samples of numbers by everything that one merged sort of them tells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lab.stats.contingency import CountsTest, compare_counts

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

TAIL_SHARES = np.array([0.001, 0.01, 0.05, *np.arange(1, 10) / 10, 0.95, 0.99, 0.999])
OUTER_SHARE = 0.01
QUANTILE_BINS = 10
NORMAL_QUARTILES = 1.3489795003921634  # the distance between the quartiles of a standard normal


@dataclass(frozen=True)
class Merged:
    """Two sorted samples and their distinct values; the counts are of rows at or below each value."""

    reference: Numbers
    current: Numbers
    values: Numbers
    reference_below: Counts
    current_below: Counts

    @property
    def reference_shares(self) -> Numbers:
        """The distribution function of the reference."""
        return self.reference_below / len(self.reference)

    @property
    def current_shares(self) -> Numbers:
        """The distribution function of the current sample."""
        return self.current_below / len(self.current)


@dataclass(frozen=True)
class KolmogorovSmirnovTest:
    """The largest distance between two distribution functions, and its p-value."""

    distance: float
    p_value: float


@dataclass(frozen=True)
class TailsTest:
    """A chi-square test on the bins of pooled quantiles, and the larger change in the outer 1 % at either end."""

    test: CountsTest
    outer_change: float


def merge(reference: ArrayLike, current: ArrayLike) -> Merged:
    """Return two samples sorted and merged; neither may be empty or hold a missing value (infinite ones may be)."""
    samples = [np.asarray(sample, dtype=np.float64) + 0.0 for sample in (reference, current)]
    for sample in samples:
        if sample.size == 0 or np.isnan(sample).any():
            raise ValueError(f"expected numbers without missing values, one or more, got {sample.size}")
        sample.sort()
    both = np.concatenate(samples)
    both.sort(kind="stable")  # two sorted runs: this only merges them
    ends = np.append(np.flatnonzero(both[1:] != both[:-1]), both.size - 1)
    values = both[ends]
    below = np.searchsorted(samples[0], values, side="right")
    return Merged(samples[0], samples[1], values, below, ends + 1 - below)


def kolmogorov_smirnov(merged: Merged) -> KolmogorovSmirnovTest:
    """Return the two-sample Kolmogorov–Smirnov test.

    Ties are taken together, which makes the p-value cautious where there are many. It is Kolmogorov's limit with
    Stephens' correction (1970, Journal of the Royal Statistical Society B 32).

    >>> kolmogorov_smirnov(merge([1, 2, 2, 3], [2, 3, 4, 4])).distance
    0.5
    """
    distance = float(np.max(np.abs(merged.reference_shares - merged.current_shares)))
    rows, current_rows = len(merged.reference), len(merged.current)
    effective = np.sqrt(rows * current_rows / (rows + current_rows))
    p_value = float(special.kolmogorov((effective + 0.12 + 0.11 / effective) * distance))
    return KolmogorovSmirnovTest(distance, min(1.0, p_value))


def wasserstein_distance(merged: Merged) -> float:
    """Return the area between two distribution functions, in the units of the values; all must be finite.

    >>> wasserstein_distance(merge([0, 1, 3], [5, 6, 8]))
    5.0
    """
    gaps = np.abs(merged.reference_shares - merged.current_shares)[:-1]
    return float(np.sum(gaps * np.diff(merged.values)))


def spread(merged: Merged) -> float:
    """Return the standard deviation of the reference; 0 for a single row."""
    return float(np.std(merged.reference, ddof=1)) if len(merged.reference) > 1 else 0.0


def robust_spread(merged: Merged) -> float:
    """Return the distance between the reference's quartiles, scaled to equal the deviation of a normal sample."""
    rows = len(merged.reference)
    lower, upper = merged.reference[rows // 4], merged.reference[(3 * rows) // 4]
    return float(upper - lower) / NORMAL_QUARTILES


def tails_test(merged: Merged) -> TailsTest:
    """Return the test of bins that are narrow at both ends: what a middle-weighted test cannot see.

    The bins hold shares of both samples together, so the test is as fair as the chi-square test it is. A value that
    many rows share is never cut in two.
    """
    counts = _count_by_pooled_share(merged, TAIL_SHARES)
    return TailsTest(compare_counts(counts), _outer_change(counts / counts.sum(axis=1, keepdims=True)))


def largest_single_change(merged: Merged) -> float:
    """Return the largest change in the share of any one value: a spike, such as a default that was filled in."""
    reference, current = _per_value(merged)
    return float(np.max(np.abs(current / len(merged.current) - reference / len(merged.reference))))


def quantile_edges(merged: Merged, bins: int = QUANTILE_BINS) -> Numbers:
    """Return the upper edges of all bins but the last, each with the same share of the reference; ties leave fewer."""
    rows = len(merged.reference)
    places = (np.arange(1, bins) * rows + bins - 1) // bins - 1
    edges: Numbers = np.unique(merged.reference[places])
    inner: Numbers = edges[edges < merged.values[-1]]
    return inner


def count_in_bins(merged: Merged, edges: Numbers) -> tuple[Counts, Counts]:
    """Return the rows of both samples in the bins that end with each edge (inclusive), and beyond the last."""
    counts = []
    for sample in (merged.reference, merged.current):
        below = np.searchsorted(sample, edges, side="right")
        counts.append(np.diff(below, prepend=0, append=len(sample)))
    return counts[0], counts[1]


def count_per_value(merged: Merged) -> tuple[Counts, Counts]:
    """Return the rows of both samples that hold each distinct value."""
    reference, current = _per_value(merged)
    return reference, current


def _per_value(merged: Merged) -> list[Counts]:
    return [np.diff(below, prepend=0) for below in (merged.reference_below, merged.current_below)]


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
