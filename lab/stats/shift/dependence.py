"""Design effects of correlated rows: rows of the same unit, or autocorrelated in time.

Tests assume independent rows. When rows of a customer, or consecutive rows, are correlated, the variance of a share or
a mean rank is larger by the factor returned here, the design effect of Kish (1965, Survey Sampling). Dividing rows or
statistics by it restores the significance level and costs power.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
Inflation = tuple[float, float]

NO_INFLATION: Inflation = (1.0, 1.0)
LARGEST_CORRELATION = 0.99


def joint_inflation(rows: Sequence[int], inflation: Inflation) -> float:
    """Return the design effect of a difference between two samples.

    >>> joint_inflation([100, 100], (1.0, 3.0))
    2.0
    """
    if min(rows) == 0:
        return 1.0
    total = sum(factor / count for factor, count in zip(inflation, rows, strict=True))
    return total / sum(1 / count for count in rows)


def reduced_for_shared_units(
    rows: Sequence[int], inflation: Inflation, *, correlation: float, pairs: float
) -> Inflation:
    """Return the design effects of two samples with common units, whose correlation makes the samples differ less.

    `pairs` is the number of pairs of rows, one from each sample, of the same unit; `correlation` is that of these
    pairs. The joint design effect is never reduced below 1.
    """
    joint = joint_inflation(rows, inflation)
    if min(rows) == 0:
        return inflation
    shared = 2 * max(correlation, 0.0) * pairs / (rows[0] * rows[1]) / (1 / rows[0] + 1 / rows[1])
    factor = max(joint - shared, 1.0) / joint
    return inflation[0] * factor, inflation[1] * factor


def correlation_of_pairs(first: Numbers, second: Numbers) -> float:
    """Return the rank correlation of pairs of numbers; 0 for fewer than three pairs or a constant side."""
    if len(first) < 3:
        return 0.0
    ranks = [midranks(side) - (len(side) + 1) / 2 for side in (first, second)]
    scale = float(np.sqrt(np.sum(ranks[0] ** 2) * np.sum(ranks[1] ** 2)))
    return float(np.sum(ranks[0] * ranks[1])) / scale if scale > 0 else 0.0


def correlation_of_levels(first: Codes, second: Codes) -> float:
    """Return how much more often pairs of levels agree than by chance, as Cohen's kappa."""
    if len(first) < 3:
        return 0.0
    size = int(max(first.max(), second.max())) + 1
    shares = [np.bincount(side, minlength=size) / len(side) for side in (first, second)]
    by_chance = float(np.sum(shares[0] * shares[1]))
    return (float(np.mean(first == second)) - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def midranks(values: Numbers) -> Numbers:
    """Return the ranks of values from 1; equal values share their mean rank.

    >>> midranks(np.array([5.0, 1.0, 5.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    counts = np.diff(ends, prepend=-1)
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(ends + 1 - (counts - 1) / 2, counts)
    return ranks


def inflation_by_unit(ranks: Numbers, units: Codes) -> float:
    """Return the design effect of rows of the same unit, for numbers given as ranks; 1 when units do not repeat.

    The intraclass correlation is that of the analysis of variance: (between − within) / (between + (m − 1)·within).
    """
    _, codes, sizes = np.unique(units, return_inverse=True, return_counts=True)
    rows, count = len(ranks), len(sizes)
    if count in {0, 1, rows}:
        return 1.0
    means = np.bincount(codes, weights=ranks) / sizes
    within = float(np.sum((ranks - means[codes]) ** 2)) / (rows - count)
    between = float(np.sum(sizes * (means - ranks.mean()) ** 2)) / (count - 1)
    typical = (rows - float(np.sum(sizes**2)) / rows) / (count - 1)
    spread = between + (typical - 1) * within
    return _by_size(sizes, (between - within) / spread if spread > 0 else 0.0)


def inflation_by_unit_of_levels(levels: Codes, units: Codes) -> float:
    """Return the design effect of rows of the same unit, for levels given as codes; 1 when units do not repeat.

    The correlation is how much more often two rows of a unit agree than two rows of different units.
    """
    _, codes, sizes = np.unique(units, return_inverse=True, return_counts=True)
    pairs = float(np.sum(sizes * (sizes - 1)))
    if pairs == 0:
        return 1.0
    _, together = np.unique(codes * (int(levels.max()) + 1) + levels, return_counts=True)
    agreement = float(np.sum(together * (together - 1))) / pairs
    return _by_size(sizes, _beyond_chance(agreement, levels))


def inflation_in_time(ranks: Numbers) -> float:
    """Return the design effect of autocorrelated rows in time order, for numbers given as ranks.

    First-order autocorrelation r is assumed: (1 + r) / (1 − r), or 1 when r is not significant.
    """
    centred = ranks - ranks.mean() if len(ranks) else ranks
    scale = float(np.sum(centred**2))
    return _by_autocorrelation(float(np.sum(centred[1:] * centred[:-1])) / scale if scale > 0 else 0.0, len(ranks))


def inflation_in_time_of_levels(levels: Codes) -> float:
    """Return the design effect of autocorrelated rows in time order, for levels given as codes."""
    if len(levels) < 2:
        return 1.0
    return _by_autocorrelation(_beyond_chance(float(np.mean(levels[1:] == levels[:-1])), levels), len(levels))


def _by_size(sizes: Codes, correlation: float) -> float:
    typical = float(np.sum(sizes**2)) / float(np.sum(sizes))
    return 1 + (typical - 1) * min(max(correlation, 0.0), 1.0)


def _by_autocorrelation(correlation: float, rows: int) -> float:
    if rows < 3 or correlation < 2 / np.sqrt(rows):
        return 1.0
    r = min(correlation, LARGEST_CORRELATION)
    return (1 + r) / (1 - r)


def _beyond_chance(agreement: float, levels: Codes) -> float:
    shares = np.bincount(levels) / len(levels)
    by_chance = float(np.sum(shares**2))
    return (agreement - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0
