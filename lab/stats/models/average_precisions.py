"""The average precision of a ranking, how much each row moves it, and two of them on the same rows."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.probabilities import normal_p_value, normal_quantile

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class AveragePrecision:
    """An average precision, and by how much it would move if a row counted a little more: the sum of which is 0."""

    value: float
    influences: Numbers


@dataclass(frozen=True)
class AveragePrecisionComparison:
    """Two average precisions; the difference is second less first, the p-value is of a normal test."""

    first: float
    second: float
    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float
    reason: str


def average_precision_of(labels: ArrayLike, scores: ArrayLike) -> AveragePrecision:
    """Return the mean, over positive rows, of the precision down to their score; rows of one score stand together.

    The influences are its derivatives by the weights of the rows (the infinitesimal jackknife: Jaeckel, 1972; Efron,
    1982, chapter 6), for a sample in which the share of positives is left to chance too.

    >>> round(average_precision_of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 6)
    0.833333
    """
    positive, numbers = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if positive.shape != numbers.shape or not positive.any():
        raise ValueError(
            f"expected a score for every label and a positive row, got {positive.shape} labels, {numbers.shape} scores "
            f"and {int(positive.sum())} positive rows"
        )
    distinct, places = np.unique(-numbers, return_inverse=True)  # from the highest score down
    at = np.bincount(places, weights=positive, minlength=len(distinct))
    hits = np.cumsum(at)
    taken = np.cumsum(np.bincount(places, minlength=len(distinct)))
    precision = hits / taken
    value = float(at @ precision) / float(hits[-1])
    # One more positive above a score raises the precision there, one more negative lowers it.
    raised, lowered = (_from_below(at * part / taken**2) for part in (taken - hits, hits))
    moves = np.where(positive, (precision - value + raised)[places], -lowered[places])
    return AveragePrecision(value, moves / float(hits[-1]))


def average_precision_interval(seen: AveragePrecision, *, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of an average precision, kept between 0 and 1."""
    reach = normal_quantile((1 + level) / 2) * _error(seen.influences)
    return max(0.0, seen.value - reach), min(1.0, seen.value + reach)


def compare_average_precisions(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, *, level: float = 0.95
) -> AveragePrecisionComparison:
    """Return the comparison of two models' scores of the same rows; equal rankings do not differ: p-value 1.

    >>> compare_average_precisions([0, 1, 1], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3]).p_value
    1.0
    """
    one, two = average_precision_of(labels, first), average_precision_of(labels, second)
    difference, error = two.value - one.value, _error(two.influences - one.influences)
    reach = normal_quantile((1 + level) / 2) * error
    return AveragePrecisionComparison(
        first=one.value,
        second=two.value,
        difference=difference,
        standard_error=error,
        low=difference - reach,
        high=difference + reach,
        p_value=normal_p_value(difference / error) if error else 1.0,
        reason="" if error else "the spread is zero: both rank every pair alike",
    )


def _from_below(values: Numbers) -> Numbers:
    sums: Numbers = np.cumsum(values[::-1])[::-1]
    return sums


def _error(influences: Numbers) -> float:
    rows = len(influences)
    return math.sqrt(float(np.sum(influences**2)) * rows / max(1, rows - 1))
