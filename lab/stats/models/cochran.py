"""Cochran's Q test: compare the accuracy of several models on the same rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.probabilities import chi_square_p_value


@dataclass(frozen=True)
class CochranTest:
    """Cochran's Q with its p-value; for two models it equals McNemar's chi-square."""

    q: float
    degrees: int
    p_value: float
    reason: str


def cochran_test(correct: ArrayLike) -> CochranTest:
    """Return the test for a table of rows by models, true where the model is correct. Cochran (1950), Biometrika 37.

    The p-value is 1 for models that are correct on the same rows.

    >>> round(cochran_test([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0]]).q, 3)
    2.8
    """
    table = np.asarray(correct).astype(bool)
    if table.ndim != 2 or table.shape[1] < 2 or table.shape[0] == 0:
        raise ValueError(f"expected a table of rows by two models or more, got {table.shape}")
    models = table.shape[1]
    by_model, by_row = table.sum(axis=0), table.sum(axis=1)
    disagreement = int(np.sum(by_row * (models - by_row)))
    if disagreement == 0:
        return CochranTest(0.0, models - 1, 1.0, "the models are correct on the same rows")
    q = (models - 1) * int(models * np.sum(by_model**2) - by_model.sum() ** 2) / disagreement
    return CochranTest(q, models - 1, chi_square_p_value(q, models - 1), "")
