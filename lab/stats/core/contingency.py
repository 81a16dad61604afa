"""Chi-square and Fisher tests of counts in categories, for two samples or more."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.probabilities import chi_square_p_value, log_choose

SMALLEST_EXPECTED = 5.0

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class CountsTest:
    """A chi-square test of a table of counts; `p_value` is None where there is nothing to test, `reason` says why."""

    statistic: float
    degrees: int
    p_value: float | None
    cramers_v: float
    reason: str


@dataclass(frozen=True)
class SharesTest:
    """The shares of two samples and their test; `p_value` is None where there is nothing to test."""

    reference: float
    current: float
    difference: float
    p_value: float | None
    reason: str


def compare_counts(table: ArrayLike, *, inflation: float = 1.0) -> CountsTest:
    """Return Pearson's chi-square test of a table with one row per sample and one column per category.

    All samples are treated as random, and totals may differ. Columns with an expected count below five in any sample
    are pooled into one; Yates' correction is not applied. Pearson (1900); Cramér (1946) for V. For correlated rows the
    statistic is divided by their design effect (lab/stats/shift/dependence.py), the first-order correction of Rao and
    Scott (1981, Journal of the American Statistical Association 76).

    >>> compare_counts([[120, 880], [135, 865], [160, 840], [118, 882]]).degrees
    3
    """
    counts = _checked(table)
    if np.any(counts.sum(axis=1) == 0):
        return CountsTest(0.0, 0, None, 0.0, "a sample without rows")
    pooled, rare = pool_rare(counts)
    if pooled.shape[1] < 2:
        if rare:
            return CountsTest(0.0, 0, None, 0.0, "all levels are too rare to test")
        return CountsTest(0.0, 0, 1.0, 0.0, "only one level")
    return _pearson(pooled, inflation=inflation)


def pool_rare(counts: Counts) -> tuple[Counts, int]:
    """Return the table without empty columns, its rare ones pooled into a last column, and how many were pooled."""
    counts = counts[:, counts.sum(axis=0) > 0]
    totals = counts.sum(axis=0)
    smallest_expected = totals * (counts.sum(axis=1).min() / counts.sum())
    rare = smallest_expected < SMALLEST_EXPECTED
    if not rare.any():
        return counts, 0
    if smallest_expected[rare].sum() < SMALLEST_EXPECTED and not rare.all():
        rare[np.flatnonzero(~rare)[np.argmin(totals[~rare])]] = True
    return np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)]), int(rare.sum())


def compare_shares(*, reference: tuple[int, int], current: tuple[int, int], inflation: float = 1.0) -> SharesTest:
    """Return the test of two shares, each given as (count, rows).

    Chi-square, or Fisher's exact test (1935, the smaller tail doubled) when an expected count is below five: there
    chi-square is badly wrong for samples of different size. The design effect `inflation` divides the chi-square
    statistic or, in the exact test, every count.

    >>> round(compare_shares(reference=(0, 1000), current=(8, 1000)).p_value or 0, 4)
    0.0077
    """
    (hits, rows), (current_hits, current_rows) = reference, current
    if min(rows, current_rows) == 0:
        return SharesTest(0.0, 0.0, 0.0, None, "a sample without rows")
    shares = hits / rows, current_hits / current_rows
    table = np.array([[hits, rows - hits], [current_hits, current_rows - current_hits]])
    if np.any(table.sum(axis=0) == 0):
        return SharesTest(*shares, 0.0, 1.0, "all rows are equal")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    if expected.min() < SMALLEST_EXPECTED:
        p_value: float | None = _fisher(np.rint(table / inflation).astype(np.int64))
    else:
        p_value = _pearson(table, inflation=inflation).p_value
    return SharesTest(*shares, shares[1] - shares[0], p_value, "")


def _checked(table: ArrayLike) -> Counts:
    counts = np.asarray(table)
    if counts.ndim != 2 or counts.shape[0] < 2:
        raise ValueError(f"expected a table with one row of counts per sample, at least two; got {counts.shape}")
    if counts.size and counts.min() < 0:
        raise ValueError(f"expected counts of at least 0, got {counts.min()}")
    return counts.astype(np.int64)


def _pearson(counts: Counts, *, inflation: float = 1.0) -> CountsTest:
    total = float(counts.sum())
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    statistic = float(np.sum((counts - expected) ** 2 / expected))
    rows, columns = counts.shape
    degrees = (rows - 1) * (columns - 1)
    cramers_v = math.sqrt(statistic / (total * min(rows - 1, columns - 1)))
    return CountsTest(statistic, degrees, chi_square_p_value(statistic / inflation, degrees), cramers_v, "")


def _fisher(table: Counts) -> float:
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    cells = np.arange(max(0, columns[0] - rows[1]), min(rows[0], columns[0]) + 1)
    ways = log_choose(columns[0], cells) + log_choose(columns[1], rows[0] - cells)
    probabilities = np.exp(ways - log_choose(table.sum(), rows[0]))
    below = probabilities[cells <= table[0, 0]].sum()
    above = probabilities[cells >= table[0, 0]].sum()
    return min(1.0, 2 * float(min(below, above)))
