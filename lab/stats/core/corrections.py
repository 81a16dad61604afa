"""Adjust p-values for multiple testing.

Each function returns the adjusted p-values in the order given; compare them with the significance level itself.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def bonferroni(p_values: Sequence[float]) -> list[float]:
    """Return Bonferroni's p-values, which control the family-wise error rate."""
    p, order = _sorted(p_values)
    return _unsorted(p * len(p), order)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down p-values (1979, Scandinavian Journal of Statistics 6).

    They control the family-wise error rate like Bonferroni's, with at least as much power.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p, order = _sorted(p_values)
    return _unsorted(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), order)


def hochberg(p_values: Sequence[float]) -> list[float]:
    """Return Hochberg's step-up p-values (1988, Biometrika 75), for independent or positively dependent tests."""
    p, order = _sorted(p_values)
    return _unsorted(_running_minimum_from_right(p * np.arange(len(p), 0, -1)), order)


def hommel(p_values: Sequence[float]) -> list[float]:
    """Return Hommel's p-values (1988, Biometrika 75), which apply Simes' test to every subset."""
    p, order = _sorted(p_values)
    count = len(p)
    adjusted = np.full(count, np.min(count * p / np.arange(1, count + 1))) if count else p
    for size in range(count - 1, 1, -1):
        first = count - size + 1
        simes = np.min(size * p[first:] / np.arange(2, size + 1))
        bound = np.where(np.arange(count) < first, np.minimum(size * p, simes), 0.0)
        bound[first:] = bound[first - 1]
        adjusted = np.maximum(adjusted, bound)
    return _unsorted(np.maximum(adjusted, p), order)


def sidak(p_values: Sequence[float]) -> list[float]:
    """Return Šidák's p-values, exact for independent tests."""
    p, order = _sorted(p_values)
    return _unsorted(_sidak(p, len(p)), order)


def holm_sidak(p_values: Sequence[float]) -> list[float]:
    """Return Šidák's p-values in step-down form."""
    p, order = _sorted(p_values)
    return _unsorted(np.maximum.accumulate(_sidak(p, np.arange(len(p), 0, -1))), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return the q-values of Benjamini and Hochberg (1995, Journal of the Royal Statistical Society B 57).

    They control the false discovery rate: of the tests below q, a share of at most q is expected to be false.

    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5])
    [0.04, 0.05333333333333334, 0.05333333333333334, 0.5]
    """
    p, order = _sorted(p_values)
    return _unsorted(_running_minimum_from_right(p * len(p) / np.arange(1, len(p) + 1)), order)


def benjamini_yekutieli(p_values: Sequence[float]) -> list[float]:
    """Return q-values that are valid under any dependence of the tests (2001, Annals of Statistics 29)."""
    p, order = _sorted(p_values)
    ranks = np.arange(1, len(p) + 1)
    return _unsorted(_running_minimum_from_right(p * len(p) * np.sum(1 / ranks) / ranks), order)


def _sorted(p_values: Sequence[float]) -> tuple[Numbers, NDArray[np.intp]]:
    p = np.asarray(p_values, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(
            f"expected p-values between 0 and 1, got {[value for value in p_values if not 0 <= value <= 1]}"
        )
    order = np.argsort(p, kind="stable")
    return p[order], order


def _running_minimum_from_right(p: Numbers) -> Numbers:
    lowest: Numbers = np.minimum.accumulate(p[::-1])[::-1]
    return lowest


def _sidak(p: Numbers, tests: int | NDArray[np.intp]) -> Numbers:
    with np.errstate(divide="ignore"):  # log(0) for a p-value of 1 is correct here
        adjusted: Numbers = -np.expm1(tests * np.log1p(-p))
    return adjusted


def _unsorted(adjusted: Numbers, order: NDArray[np.intp]) -> list[float]:
    unsorted = np.empty_like(adjusted)
    unsorted[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in unsorted]
