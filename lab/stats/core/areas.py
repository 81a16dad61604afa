"""Compare areas under the ROC curve: of two models on the same rows, or of one model on two samples."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.probabilities import normal_log10_p, normal_p_value, normal_quantile

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Area:
    """The area under a ROC curve, and where each row's score lies among the scores of the other class.

    `positive_places` and `negative_places` are in the order of the rows of their class.
    """

    value: float
    positive_places: Numbers
    negative_places: Numbers


@dataclass(frozen=True)
class AreaComparison:
    """Two areas; the difference is second less first.

    The p-value and the interval are None where the spread cannot be estimated, and `reason` says why.
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
    """Return the area under the ROC curve: the chance that a positive row scores above a negative one, ties half.

    One sort; placements as in DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44. Both classes must be there.

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
    places = np.empty(len(numbers))
    sorted_positive = positive[order]
    places[order] = np.where(
        sorted_positive, negatives_below[group] / negatives_at.sum(), positives_above[group] / positives_at.sum()
    )
    wins = float(np.sum(positives_at * negatives_below))  # halves of whole numbers: exact in any order
    value = wins / (float(positives_at.sum()) * float(negatives_at.sum()))
    return Area(value, places[positive], places[~positive])


def compare_areas(labels: ArrayLike, first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> AreaComparison:
    """Return DeLong's paired comparison of two models' scores of the same rows.

    Models that rank every pair alike do not differ: difference 0, p-value 1.

    >>> compare_areas([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [0.1, 0.4, 0.35, 0.8]).p_value
    1.0
    """
    one, two = area_under_curve(labels, first), area_under_curve(labels, second)
    positives = np.stack([one.positive_places, two.positive_places])
    negatives = np.stack([one.negative_places, two.negative_places])
    if min(positives.shape[1], negatives.shape[1]) < 2:
        return _unjudged(one.value, two.value, "one row of a class only: the spread cannot be estimated")
    variance = _variance_of_mean(positives[1] - positives[0]) + _variance_of_mean(negatives[1] - negatives[0])
    covariance = np.cov(positives) / positives.shape[1] + np.cov(negatives) / negatives.shape[1]
    return _judged(one.value, two.value, variance=variance, covariance=covariance, level=level)


def area_variance(area: Area) -> float | None:
    """Return DeLong's variance of an area; None where a class has one row only."""
    if min(len(area.positive_places), len(area.negative_places)) < 2:
        return None
    return _variance_of_mean(area.positive_places) + _variance_of_mean(area.negative_places)


def area_variance_by_unit(area: Area, labels: ArrayLike, units: ArrayLike) -> float | None:
    """Return the variance of an area whose rows come in units that are alike within; None below two units.

    Obuchowski (1997), Biometrics 53: what each row moves the area by is added up within its unit first.
    """
    positive = np.asarray(labels).astype(bool)
    moved = np.empty(len(positive))
    moved[positive] = (area.positive_places - area.value) / len(area.positive_places)
    moved[~positive] = (area.negative_places - area.value) / len(area.negative_places)
    _, places = np.unique(np.asarray(units), return_inverse=True)
    sums = np.bincount(places, weights=moved)
    if len(sums) < 2 or min(len(area.positive_places), len(area.negative_places)) < 2:
        return None
    return float(np.sum(sums**2)) * len(sums) / (len(sums) - 1)


def compare_samples(first: Area, second: Area, *, level: float = 0.95) -> AreaComparison:
    """Return the comparison of one model's areas on two samples that share no row."""
    return compare_estimates((first.value, area_variance(first)), (second.value, area_variance(second)), level=level)


def compare_estimates(
    first: tuple[float, float | None], second: tuple[float, float | None], *, level: float = 0.95
) -> AreaComparison:
    """Return the comparison of two areas on samples that share no row, each with its variance (None: not known)."""
    (area, variance), (other, other_variance) = first, second
    if variance is None or other_variance is None:
        return _unjudged(area, other, "one row of a class only: the spread cannot be estimated")
    covariance = np.diag(np.array([variance, other_variance]))
    return _judged(area, other, variance=variance + other_variance, covariance=covariance, level=level)


def _check(positive: NDArray[np.bool_], scores: Numbers) -> None:
    if positive.shape != scores.shape:
        raise ValueError(f"expected a score for every label, got {positive.shape} labels and {scores.shape} scores")
    if np.isnan(scores).any():
        raise ValueError(f"expected a score in every row, {int(np.isnan(scores).sum())} are missing")
    if positive.all() or not positive.any():
        raise ValueError(f"the area is undefined: {int(positive.sum())} of {positive.size} rows are positive")


def _variance_of_mean(values: Numbers) -> float:
    return float(np.var(values, ddof=1)) / len(values)


def _judged(first: float, second: float, *, variance: float, covariance: Numbers, level: float) -> AreaComparison:
    difference = second - first
    if variance == 0 and difference != 0:
        return _unjudged(first, second, "the difference is the same for every row: its spread cannot be estimated")
    error = math.sqrt(variance)
    z = difference / error if error else 0.0
    reach = normal_quantile((1 + level) / 2) * error
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
        low=difference - reach,
        high=difference + reach,
        reason="" if error else "the spread is zero: both rank every pair alike",
    )


def _unjudged(first: float, second: float, reason: str) -> AreaComparison:
    return AreaComparison(first, second, second - first, None, None, None, None, None, None, None, reason)
