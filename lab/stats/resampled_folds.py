"""Intervals for a mean over folds, whose training rows overlap, so that folds agree more than new data would."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab.stats.probabilities import student_quantile


@dataclass(frozen=True)
class FoldMean:
    """A mean over folds; the ends are None for a single fold."""

    mean: float
    low: float | None
    high: float | None


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
    folds = len(scores)
    if not folds or folds != len(train_rows) or folds != len(validation_rows):
        raise ValueError(
            f"expected the rows of each of {folds} folds, one or more, got {len(train_rows)} and {len(validation_rows)}"
        )
    mean = float(np.mean(scores))
    if folds == 1:
        return FoldMean(mean, None, None)
    ratio = float(np.mean(np.divide(validation_rows, train_rows)))
    error = math.sqrt((1 / folds + ratio) * float(np.var(scores, ddof=1)))
    reach = student_quantile((1 + level) / 2, folds - 1) * error
    return FoldMean(mean, mean - reach, mean + reach)
