"""Effect sizes between two binned samples: PSI, Jensen–Shannon, Hellinger."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FLOOR = 1e-4

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Divergences:
    """Four effect sizes; 0 means no change.

    The expectation under no change is subtracted from population stability and Jensen–Shannon, so population stability
    may be negative.
    """

    population_stability: float
    jensen_shannon: float
    hellinger: float
    largest_change: float


def diverge(reference: ArrayLike, current: ArrayLike) -> Divergences:
    """Return the divergences of the current counts from the reference counts; both samples need a row.

    Two samples of n and m rows from one distribution have a population stability of about (bins − 1)·(1/n + 1/m) and
    a Jensen–Shannon divergence of an eighth of that (in nats). Both are subtracted: otherwise columns with many levels
    would diverge by chance. Yurdakul (2018).
    """
    p, q, by_chance = _shares(reference, current)
    divergence = jensen_shannon_distance(p, q) ** 2 - by_chance / (8 * math.log(2))
    return Divergences(
        population_stability=population_stability(p, q) - by_chance,
        jensen_shannon=math.sqrt(max(divergence, 0.0)),
        hellinger=hellinger_distance(p, q),
        largest_change=float(np.max(np.abs(q - p))),
    )


def population_stability(p: Shares, q: Shares) -> float:
    """Return the population stability index of two lists of shares: the sum of both Kullback–Leibler divergences.

    Shares below 1e-4 count as 1e-4, so an empty bin gives a finite index. Siddiqi (2006), Credit Risk Scorecards.

    >>> round(population_stability(np.array([0.5, 0.5]), np.array([0.4, 0.6])), 4)
    0.0405
    """
    p, q = np.maximum(p, FLOOR), np.maximum(q, FLOOR)
    return float(np.sum((q - p) * np.log(q / p)))


def jensen_shannon_distance(p: Shares, q: Shares) -> float:
    """Return the Jensen–Shannon distance to base 2, the root of Lin's divergence (1991).

    It is a metric: 0 for equal shares, 1 for disjoint ones.

    >>> jensen_shannon_distance(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    1.0
    """
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return float(np.sqrt(max(divergence, 0.0)))


def hellinger_distance(p: Shares, q: Shares) -> float:
    """Return the Hellinger distance: 0 for equal shares, 1 for disjoint ones.

    >>> hellinger_distance(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    1.0
    """
    return float(np.sqrt(np.sum((np.sqrt(q) - np.sqrt(p)) ** 2) / 2))


def _shares(reference: ArrayLike, current: ArrayLike) -> tuple[Shares, Shares, float]:
    counts = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    rows = counts[0].sum(), counts[1].sum()
    if counts[0].shape != counts[1].shape or min(rows) <= 0:
        raise ValueError(f"expected two samples in the same bins with at least one row each, got {rows} rows")
    by_chance = (counts[0].size - 1) * (1 / rows[0] + 1 / rows[1])
    return counts[0] / rows[0], counts[1] / rows[1], float(by_chance)


def _relative_entropy(p: Shares, q: Shares) -> float:
    present = p > 0
    return float(np.sum(p[present] * np.log2(p[present] / q[present])))
