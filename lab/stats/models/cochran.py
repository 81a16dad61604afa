"""Cochran's Q test: compare the accuracy of several models on the same rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.clusters import FEWEST, Codes, repeated_units
from lab.stats.core.probabilities import chi_square_p_value, f_p_value


@dataclass(frozen=True)
class CochranTest:
    """Cochran's Q with its p-value; for two models it equals McNemar's chi-square.

    Where units repeat, q is Hotelling's T² of the accuracies. The p-value is None with too few units.
    """

    q: float
    degrees: int
    p_value: float | None
    reason: str
    by_unit: bool = False


def cochran_test(correct: ArrayLike, *, units: ArrayLike | None = None) -> CochranTest:
    """Return the test for a table of rows by models, true where the model is correct. Cochran (1950), Biometrika 37.

    The p-value is 1 for models that are correct on the same rows. Where units repeat, it is that of Hotelling's T²
    (1931, Annals of Mathematical Statistics 2) of the differences to the first model, added up by unit.

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
    if (codes := repeated_units(units)) is not None:
        return _by_unit(table.astype(np.float64), codes)
    q = (models - 1) * int(models * np.sum(by_model**2) - by_model.sum() ** 2) / disagreement
    return CochranTest(q, models - 1, chi_square_p_value(q, models - 1), "")


def _by_unit(table: NDArray[np.float64], units: Codes) -> CochranTest:
    differences = table[:, 1:] - table[:, :1]
    means, count = differences.mean(axis=0), int(units.max()) + 1
    sums = np.stack([np.bincount(units, weights=column) for column in (differences - means).T]) / len(units)
    covariance = sums @ sums.T * count / (count - 1)
    degrees = int(np.linalg.matrix_rank(covariance, hermitian=True))  # models that always agree add none
    if count < max(FEWEST, degrees + 2):
        return CochranTest(0.0, degrees, None, f"{count} units: too few for a test by unit", by_unit=True)
    q = float(means @ np.linalg.pinv(covariance, hermitian=True) @ means)
    ratio = q * (count - degrees) / (degrees * (count - 1))
    return CochranTest(q, degrees, f_p_value(ratio, (degrees, count - degrees)), "", by_unit=True)
