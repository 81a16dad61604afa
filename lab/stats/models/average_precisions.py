"""Average precision with its standard error, and its comparison between two models."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.clusters import clustered_test, repeated_units
from lab.stats.core.probabilities import normal_p_value, normal_quantile
from lab.stats.models.decisions import MetricDifference

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class AveragePrecision:
    """An average precision and the influence of each row on it; the influences sum to 0."""

    value: float
    influences: Numbers


def average_precision_of(labels: ArrayLike, scores: ArrayLike) -> AveragePrecision:
    """Return the mean, over positive rows, of the precision at their score as threshold.

    The influences are its derivatives by the weights of the rows (the infinitesimal jackknife: Jaeckel, 1972; Efron,
    1982, chapter 6), for samples in which the share of positives is random too.

    >>> round(average_precision_of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 6)
    0.833333
    """
    positive, numbers = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if positive.shape != numbers.shape or not positive.any():
        raise ValueError(
            f"expected a score per label and a positive row, got {positive.shape} labels, {numbers.shape} scores "
            f"and {int(positive.sum())} positive rows"
        )
    distinct, codes = np.unique(-numbers, return_inverse=True)  # from the highest score down
    at = np.bincount(codes, weights=positive, minlength=len(distinct))
    hits = np.cumsum(at)
    taken = np.cumsum(np.bincount(codes, minlength=len(distinct)))
    precision = hits / taken
    value = float(at @ precision) / float(hits[-1])
    # One more positive above a score raises the precision there, one more negative lowers it.
    raised, lowered = (np.cumsum((at * part / taken**2)[::-1])[::-1] for part in (taken - hits, hits))
    influences = np.where(positive, (precision - value + raised)[codes], -lowered[codes])
    return AveragePrecision(value, influences / float(hits[-1]))


def average_precision_interval(
    estimate: AveragePrecision, *, units: ArrayLike | None = None, level: float = 0.95
) -> tuple[float | None, float | None]:
    """Return the interval of an average precision, clipped to [0, 1]; None with too few units."""
    if (codes := repeated_units(units)) is not None:
        found = clustered_test(estimate.value, estimate.influences, codes, level=level)
        return clipped(found.low, found.high)
    half_width = normal_quantile((1 + level) / 2) * _standard_error(estimate.influences)
    return clipped(estimate.value - half_width, estimate.value + half_width)


def clipped(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """Return the part of an interval within [0, 1]."""
    return (None if low is None else max(0.0, low)), (None if high is None else min(1.0, high))


def compare_average_precisions(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, *, units: ArrayLike | None = None, level: float = 0.95
) -> MetricDifference:
    """Return the z-test of two models' scores of the same rows; the p-value is 1 for equal rankings.

    >>> compare_average_precisions([0, 1, 1], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3]).p_value
    1.0
    """
    one, two = average_precision_of(labels, first), average_precision_of(labels, second)
    difference, influences = two.value - one.value, two.influences - one.influences
    equal = "zero variance: both rank every pair of rows equally"
    if (codes := repeated_units(units)) is not None:
        found = clustered_test(difference, influences, codes, level=level)
        reason = equal if found.standard_error == 0 else found.reason
        values = one.value, two.value, difference
        return MetricDifference(*values, found.standard_error, found.low, found.high, found.p_value, reason)
    error = _standard_error(influences)
    half_width = normal_quantile((1 + level) / 2) * error
    return MetricDifference(
        first=one.value,
        second=two.value,
        difference=difference,
        standard_error=error,
        low=difference - half_width,
        high=difference + half_width,
        p_value=normal_p_value(difference / error) if error else 1.0,
        reason="" if error else equal,
    )


def _standard_error(influences: Numbers) -> float:
    rows = len(influences)
    return math.sqrt(float(np.sum(influences**2)) * rows / max(1, rows - 1))
