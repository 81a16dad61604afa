"""DeLong's tests of ROC AUC: two models on the same rows, or two samples."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.clusters import Codes, clustered_test, repeated_units, variance_by_unit
from lab.stats.core.probabilities import normal_log10_p, normal_p_value, normal_quantile

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Area:
    """A ROC AUC with DeLong's placements: the share of the other class that each row ranks correctly.

    `positive_placements` and `negative_placements` are in the order of the rows of their class.
    """

    value: float
    positive_placements: Numbers
    negative_placements: Numbers


@dataclass(frozen=True)
class AreaComparison:
    """Two areas; the difference is second minus first.

    The p-value and the interval are None where the variance cannot be estimated; `reason` says why.
    """

    first: float
    second: float
    difference: float
    covariance: tuple[tuple[float, float], tuple[float, float]] | None
    standard_error: float | None
    z: float | None
    p_value: float | None
    log10_p: float | None
    low: float | None
    high: float | None
    reason: str


def area_under_curve(labels: ArrayLike, scores: ArrayLike) -> Area:
    """Return the ROC AUC: the probability that a positive row scores above a negative one, ties counting half.

    Placements as in DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44. Both classes are needed.

    >>> area_under_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value
    0.75
    """
    positive, numbers = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    _check(positive, numbers)
    order = np.argsort(numbers, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(numbers[order]) > 0, True))
    group = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    positives_at = np.diff(np.cumsum(positive[order])[ends], prepend=0)
    negatives_at = np.diff(np.cumsum(~positive[order])[ends], prepend=0)
    negatives_below = np.cumsum(negatives_at) - negatives_at / 2
    positives_above = positives_at.sum() - np.cumsum(positives_at) + positives_at / 2
    placements = np.empty(len(numbers))
    placements[order] = np.where(
        positive[order], negatives_below[group] / negatives_at.sum(), positives_above[group] / positives_at.sum()
    )
    wins = float(np.sum(positives_at * negatives_below))  # multiples of ½: exact in any order
    value = wins / (float(positives_at.sum()) * float(negatives_at.sum()))
    return Area(value, placements[positive], placements[~positive])


def compare_areas(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, *, units: ArrayLike | None = None, level: float = 0.95
) -> AreaComparison:
    """Return DeLong's paired comparison of two models' scores of the same rows.

    Where units repeat, influences are added up within each unit (Obuchowski, 1997, Biometrics 53), and `z` is a
    Student t. Models that rank every pair of rows equally have difference 0 and p-value 1.

    >>> compare_areas([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [0.1, 0.4, 0.35, 0.8]).p_value
    1.0
    """
    one, two = area_under_curve(labels, first), area_under_curve(labels, second)
    positives = np.stack([one.positive_placements, two.positive_placements])
    negatives = np.stack([one.negative_placements, two.negative_placements])
    if min(positives.shape[1], negatives.shape[1]) < 2:
        return _untested(one.value, two.value, "only one row of a class: the variance cannot be estimated")
    if (codes := repeated_units(units)) is not None:
        return _tested_by_unit(one, two, labels, codes, level=level)
    variance = _variance_of_mean(positives[1] - positives[0]) + _variance_of_mean(negatives[1] - negatives[0])
    covariance = np.cov(positives) / positives.shape[1] + np.cov(negatives) / negatives.shape[1]
    return _tested(one.value, two.value, variance=variance, covariance=covariance, level=level)


def area_variance(area: Area) -> float | None:
    """Return DeLong's variance of an area; None when a class has only one row."""
    if min(len(area.positive_placements), len(area.negative_placements)) < 2:
        return None
    return _variance_of_mean(area.positive_placements) + _variance_of_mean(area.negative_placements)


def area_influences(area: Area, labels: ArrayLike) -> Numbers:
    """Return the influence of each row on an area; they sum to 0."""
    positive = np.asarray(labels).astype(bool)
    influences = np.empty(len(positive))
    influences[positive] = (area.positive_placements - area.value) / len(area.positive_placements)
    influences[~positive] = (area.negative_placements - area.value) / len(area.negative_placements)
    return influences


def area_variance_by_unit(area: Area, labels: ArrayLike, units: ArrayLike) -> float | None:
    """Return the variance of an area for clustered rows, correlated within units; None below two units.

    Obuchowski (1997), Biometrics 53: the influences of the rows are added up within each unit.
    """
    if min(len(area.positive_placements), len(area.negative_placements)) < 2:
        return None
    codes = np.unique(np.asarray(units), return_inverse=True)[1]
    return variance_by_unit(area_influences(area, labels), codes)


def compare_independent_areas(
    first: tuple[float, float | None], second: tuple[float, float | None], *, level: float = 0.95
) -> AreaComparison:
    """Return the comparison of two areas on samples without common rows, each given with its variance or None."""
    (area, variance), (other, other_variance) = first, second
    if variance is None or other_variance is None:
        return _untested(area, other, "only one row of a class: the variance cannot be estimated")
    covariance = np.diag(np.array([variance, other_variance]))
    return _tested(area, other, variance=variance + other_variance, covariance=covariance, level=level)


def _check(positive: NDArray[np.bool_], scores: Numbers) -> None:
    if positive.shape != scores.shape:
        raise ValueError(f"expected a score for every label, got {positive.shape} labels and {scores.shape} scores")
    if np.isnan(scores).any():
        raise ValueError(f"expected a score in every row, got {int(np.isnan(scores).sum())} missing ones")
    if positive.all() or not positive.any():
        raise ValueError(f"the area is undefined: {int(positive.sum())} of {positive.size} rows are positive")


def _variance_of_mean(values: Numbers) -> float:
    return float(np.var(values, ddof=1)) / len(values)


def _tested(first: float, second: float, *, variance: float, covariance: Numbers, level: float) -> AreaComparison:
    difference = second - first
    if variance == 0 and difference != 0:
        return _untested(first, second, "the difference is the same in every row: its variance cannot be estimated")
    error = math.sqrt(variance)
    z = difference / error if error else 0.0
    half_width = normal_quantile((1 + level) / 2) * error
    return AreaComparison(
        first=first,
        second=second,
        difference=difference,
        covariance=(
            (float(covariance[0, 0]), float(covariance[0, 1])),
            (float(covariance[1, 0]), float(covariance[1, 1])),
        ),
        standard_error=error,
        z=z,
        p_value=normal_p_value(z),
        log10_p=normal_log10_p(z) if error else 0.0,
        low=difference - half_width,
        high=difference + half_width,
        reason="" if error else "zero variance: both rank every pair of rows equally",
    )


def _tested_by_unit(one: Area, two: Area, labels: ArrayLike, units: Codes, *, level: float) -> AreaComparison:
    influences = [area_influences(area, labels) for area in (one, two)]
    found = clustered_test(two.value - one.value, influences[1] - influences[0], units, level=level)
    if found.standard_error is None:
        return _untested(one.value, two.value, found.reason)
    sums = np.stack([np.bincount(units, weights=each) for each in influences])
    (first, both), (_, second) = (sums @ sums.T * sums.shape[1] / (sums.shape[1] - 1)).tolist()
    return AreaComparison(
        first=one.value,
        second=two.value,
        difference=two.value - one.value,
        covariance=((first, both), (both, second)),
        standard_error=found.standard_error,
        z=found.t,
        p_value=found.p_value,
        log10_p=found.log10_p,
        low=found.low,
        high=found.high,
        reason=found.reason if found.standard_error else "zero variance: both rank every pair of rows equally",
    )


def _untested(first: float, second: float, reason: str) -> AreaComparison:
    return AreaComparison(first, second, second - first, None, None, None, None, None, None, None, reason)
