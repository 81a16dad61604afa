"""Cochran's Q: whether several models are right equally often on the same rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.probabilities import chi_square_p_value


@dataclass(frozen=True)
class CochranTest:
    """Cochran's Q, its degrees of freedom and its p-value; with two models it is McNemar's chi-square."""

    q: float
    degrees: int
    p_value: float
    reason: str


def cochran_test(correct: ArrayLike) -> CochranTest:
    """Return the test for a table of rows by models that says whether each model was right.

    Models that are right on the same rows do not differ: p-value 1. Cochran (1950), Biometrika 37.

    >>> round(cochran_test([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0]]).q, 3)
    2.8
    """
    right = np.asarray(correct).astype(bool)
    if right.ndim != 2 or right.shape[1] < 2 or right.shape[0] == 0:
        raise ValueError(f"expected rows by two models or more, got {right.shape}")
    models = right.shape[1]
    by_model, by_row = right.sum(axis=0), right.sum(axis=1)
    spread = int(np.sum(by_row * (models - by_row)))
    if spread == 0:
        return CochranTest(0.0, models - 1, 1.0, "the models are right on the same rows")
    q = (models - 1) * int(models * np.sum(by_model**2) - by_model.sum() ** 2) / spread
    return CochranTest(q, models - 1, chi_square_p_value(q, models - 1), "")
