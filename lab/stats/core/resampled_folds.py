"""Corrected resampled t-test for scores of overlapping cross-validation folds (Nadeau and Bengio)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from lab.stats.core.probabilities import student_p_value, student_quantile

POWER = 0.8
ROUNDING = 1e-12  # smaller differences of scores are rounding errors


@dataclass(frozen=True)
class FoldMean:
    """A mean over folds; `low` and `high` are None for a single fold."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class FoldDifference:
    """A mean difference over folds with its corrected t-test; what cannot be estimated is None, `reason` says why.

    `detectable` is the smallest difference found with a power of 80 %.
    """

    difference: float
    standard_error: float | None
    degrees: int
    t: float | None
    p_value: float | None
    low: float | None
    high: float | None
    detectable: float | None
    reason: str


def corrected_mean(
    scores: Sequence[float], *, train_rows: Sequence[int], validation_rows: Sequence[int], level: float = 0.95
) -> FoldMean:
    """Return the mean of fold scores with the corrected resampled t-interval (Nadeau and Bengio, 2003, section 3).

    The variance of the mean is (1/k + validation rows / training rows) times the variance between folds; 1/k alone
    would assume independent folds. When folds differ in size, the mean of their ratios is used.

    >>> found = corrected_mean([0.80, 0.82, 0.78], train_rows=[200] * 3, validation_rows=[100] * 3)
    >>> round(found.mean, 6), round(found.low, 6), round(found.high, 6)
    (0.8, 0.721445, 0.878555)
    """
    folds, widening = _folds_of(scores, train_rows, validation_rows)
    mean = float(np.mean(scores))
    if folds == 1:
        return FoldMean(mean, None, None)
    error = math.sqrt(widening * float(np.var(scores, ddof=1)))
    half_width = student_quantile((1 + level) / 2, folds - 1) * error
    return FoldMean(mean, mean - half_width, mean + half_width)


def corrected_difference(
    differences: Sequence[float], *, train_rows: Sequence[int], validation_rows: Sequence[int], level: float = 0.95
) -> FoldDifference:
    """Return the corrected resampled t-test of the differences between two models, one per fold.

    Nadeau and Bengio (2003), Machine Learning 52, section 3; the variance is that of `corrected_mean`. The p-value is 1
    for models that are equal in every fold, and None when the difference is the same in every fold (no variance).

    >>> found = corrected_difference([0.01, 0.03, 0.02], train_rows=[200] * 3, validation_rows=[100] * 3)
    >>> round(found.t, 6), round(found.p_value, 6)
    (2.19089, 0.159832)
    """
    folds, widening = _folds_of(differences, train_rows, validation_rows)
    mean, degrees = float(np.mean(differences)), folds - 1
    if all(abs(difference) <= ROUNDING for difference in differences):
        return FoldDifference(0.0, 0.0, degrees, 0.0, 1.0, 0.0, 0.0, None, "equal in every fold")
    if folds == 1:
        return _untested(mean, degrees, "one fold: the variance cannot be estimated")
    error = math.sqrt(widening * float(np.var(differences, ddof=1)))
    if error <= ROUNDING:
        return _untested(mean, degrees, "the difference is the same in every fold: its variance cannot be estimated")
    critical = student_quantile((1 + level) / 2, degrees)
    return FoldDifference(
        difference=mean,
        standard_error=error,
        degrees=degrees,
        t=mean / error,
        p_value=student_p_value(mean / error, degrees),
        low=mean - critical * error,
        high=mean + critical * error,
        detectable=float(special.nctdtrinc(degrees, 1 - POWER, critical)) * error,
        reason="",
    )


def _folds_of(values: Sequence[float], train_rows: Sequence[int], validation_rows: Sequence[int]) -> tuple[int, float]:
    """Return the number of folds and the factor from the variance between folds to that of their mean."""
    folds = len(values)
    if not folds or folds != len(train_rows) or folds != len(validation_rows):
        raise ValueError(
            f"expected the row counts of {folds} folds (at least 1), got {len(train_rows)} and {len(validation_rows)}"
        )
    return folds, 1 / folds + float(np.mean(np.divide(validation_rows, train_rows)))


def _untested(difference: float, degrees: int, reason: str) -> FoldDifference:
    return FoldDifference(difference, None, degrees, None, None, None, None, None, reason)
