"""Means over folds, whose training rows overlap, so that folds agree more than new data would."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from lab.stats.core.probabilities import student_p_value, student_quantile

POWER = 0.8
ROUNDING = 1e-12  # scores lie between 0 and a few: what differs by less is equal but for the last bits of a sum


@dataclass(frozen=True)
class FoldMean:
    """A mean over folds; the ends are None for a single fold."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class FoldDifference:
    """A mean difference over folds with its corrected t-test; what cannot be told is None, and `reason` says why.

    `detectable` is the smallest difference that so many folds of such a spread would have found four times in five.
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

    The variance of the mean is taken as (1/k + validation rows / training rows) times the variance between folds,
    where plain 1/k would take folds for independent. Where folds differ in size, the mean of their ratios stands.

    >>> found = corrected_mean([0.80, 0.82, 0.78], train_rows=[200] * 3, validation_rows=[100] * 3)
    >>> round(found.mean, 6), round(found.low, 6), round(found.high, 6)
    (0.8, 0.721445, 0.878555)
    """
    folds, widening = _folds_of(scores, train_rows, validation_rows)
    mean = float(np.mean(scores))
    if folds == 1:
        return FoldMean(mean, None, None)
    error = math.sqrt(widening * float(np.var(scores, ddof=1)))
    reach = student_quantile((1 + level) / 2, folds - 1) * error
    return FoldMean(mean, mean - reach, mean + reach)


def corrected_difference(
    differences: Sequence[float], *, train_rows: Sequence[int], validation_rows: Sequence[int], level: float = 0.95
) -> FoldDifference:
    """Return the corrected resampled t-test of the differences that two models show fold by fold.

    Nadeau and Bengio (2003), Machine Learning 52, section 3; the variance is that of `corrected_mean`. Models that are
    equal in every fold do not differ: p-value 1. A difference that is the same in every fold has no spread, so no
    p-value.

    >>> found = corrected_difference([0.01, 0.03, 0.02], train_rows=[200] * 3, validation_rows=[100] * 3)
    >>> round(found.t, 6), round(found.p_value, 6)
    (2.19089, 0.159832)
    """
    folds, widening = _folds_of(differences, train_rows, validation_rows)
    mean, degrees = float(np.mean(differences)), folds - 1
    if all(abs(difference) <= ROUNDING for difference in differences):
        return FoldDifference(0.0, 0.0, degrees, 0.0, 1.0, 0.0, 0.0, None, "equal in every fold")
    if folds == 1:
        return _untold(mean, degrees, "one fold: the spread cannot be estimated")
    error = math.sqrt(widening * float(np.var(differences, ddof=1)))
    if error <= ROUNDING:
        return _untold(mean, degrees, "the difference is the same in every fold: its spread cannot be estimated")
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
    """Return the number of folds, and what the variance between them is multiplied by to give that of their mean."""
    folds = len(values)
    if not folds or folds != len(train_rows) or folds != len(validation_rows):
        raise ValueError(
            f"expected the rows of each of {folds} folds, one or more, got {len(train_rows)} and {len(validation_rows)}"
        )
    return folds, 1 / folds + float(np.mean(np.divide(validation_rows, train_rows)))


def _untold(difference: float, degrees: int, reason: str) -> FoldDifference:
    return FoldDifference(difference, None, degrees, None, None, None, None, None, reason)
