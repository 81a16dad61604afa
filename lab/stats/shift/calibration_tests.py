"""Calibration tests: calibration in the large, Spiegelhalter's test, expected calibration error."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.probabilities import normal_p_value

BINS = 10


@dataclass(frozen=True)
class CalibrationTest:
    """A z-test of predicted probabilities against outcomes; None when it is undefined, `reason` says why."""

    z: float | None
    p_value: float | None
    reason: str


@dataclass(frozen=True)
class CalibrationInTheLarge:
    """The observed and the expected share of positives; the difference is observed minus expected."""

    observed: float
    expected: float
    difference: float
    test: CalibrationTest


def spiegelhalter_test(labels: ArrayLike, probabilities: ArrayLike) -> CalibrationTest:
    """Return Spiegelhalter's test (1986, Statistics in Medicine 5) that every probability is correct.

    >>> round(spiegelhalter_test([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.9]).z or 0, 4)
    -0.9045
    """
    y, p = _checked(labels, probabilities)
    weights = 1 - 2 * p
    return _test(float(np.sum((y - p) * weights)), float(np.sum(weights**2 * p * (1 - p))))


def calibration_in_the_large(labels: ArrayLike, probabilities: ArrayLike) -> CalibrationInTheLarge:
    """Return the share of positives and the mean probability, with their test; needs a row. Cox (1958), Biometrika 45.

    >>> calibration_in_the_large([0, 1], [0.5, 0.5]).difference
    0.0
    """
    y, p = _checked(labels, probabilities)
    if len(y) == 0:
        raise ValueError("expected at least one row, got none")
    test = _test(float(np.sum(y - p)), float(np.sum(p * (1 - p))))
    return CalibrationInTheLarge(float(y.mean()), float(p.mean()), float(np.mean(y - p)), test)


def expected_calibration_error(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean distance between probability and share of positives over ten equal bins, weighted by rows."""
    y, p = _checked(labels, probabilities)
    bins = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    return float(np.sum(np.abs(np.bincount(bins, weights=y - p)))) / max(len(y), 1)


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y, p = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if y.shape != p.shape or not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"expected a probability between 0 and 1 for each of {y.size} labels, got {p.size}")
    return y, p


def _test(total: float, variance: float) -> CalibrationTest:
    if variance <= 0:
        return CalibrationTest(None, None, "undefined: all probabilities are 0, ½ or 1")
    z = total / math.sqrt(variance)
    return CalibrationTest(z, normal_p_value(z), "")
