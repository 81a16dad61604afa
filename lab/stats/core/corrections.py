"""P-values of several tests, adjusted so that a promise about all of them holds.

Each function returns the adjusted p-values in the order given; compare them with the level itself.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def bonferroni(p_values: Sequence[float]) -> list[float]:
    """Return the p-values times their number: the chance of any false alarm stays below the level."""
    p, order = _sorted(p_values)
    return _restored(p * len(p), order)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down p-values: as strict a promise as Bonferroni's, never less power.

    Holm (1979), Scandinavian Journal of Statistics 6.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p, order = _sorted(p_values)
    return _restored(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), order)


def hochberg(p_values: Sequence[float]) -> list[float]:
    """Return Hochberg's step-up p-values (1988, Biometrika 75); they ask for independent or positive tests."""
    p, order = _sorted(p_values)
    return _restored(_from_the_right(p * np.arange(len(p), 0, -1)), order)


def hommel(p_values: Sequence[float]) -> list[float]:
    """Return Hommel's p-values (1988, Biometrika 75): the closure of Simes' test."""
    p, order = _sorted(p_values)
    count = len(p)
    adjusted = np.full(count, np.min(count * p / np.arange(1, count + 1))) if count else p
    for size in range(count - 1, 1, -1):
        first = count - size + 1
        simes = np.min(size * p[first:] / np.arange(2, size + 1))
        bound = np.where(np.arange(count) < first, np.minimum(size * p, simes), 0.0)
        bound[first:] = bound[first - 1]
        adjusted = np.maximum(adjusted, bound)
    return _restored(np.maximum(adjusted, p), order)


def sidak(p_values: Sequence[float]) -> list[float]:
    """Return Šidák's p-values: exact for independent tests."""
    p, order = _sorted(p_values)
    return _restored(_any_of(p, len(p)), order)


def holm_sidak(p_values: Sequence[float]) -> list[float]:
    """Return the step-down form of Šidák's p-values."""
    p, order = _sorted(p_values)
    return _restored(np.maximum.accumulate(_any_of(p, np.arange(len(p), 0, -1))), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return q-values: among the tests below q, at most the share q is expected to be a false alarm.

    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57.

    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5])
    [0.04, 0.05333333333333334, 0.05333333333333334, 0.5]
    """
    p, order = _sorted(p_values)
    return _restored(_from_the_right(p * len(p) / np.arange(1, len(p) + 1)), order)


def benjamini_yekutieli(p_values: Sequence[float]) -> list[float]:
    """Return q-values that hold under any dependence of the tests (2001, Annals of Statistics 29)."""
    p, order = _sorted(p_values)
    ranks = np.arange(1, len(p) + 1)
    return _restored(_from_the_right(p * len(p) * np.sum(1 / ranks) / ranks), order)


def _sorted(p_values: Sequence[float]) -> tuple[Numbers, NDArray[np.intp]]:
    p = np.asarray(p_values, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(
            f"expected p-values between 0 and 1, got {[value for value in p_values if not 0 <= value <= 1]}"
        )
    order = np.argsort(p, kind="stable")
    return p[order], order


def _from_the_right(p: Numbers) -> Numbers:
    lowest: Numbers = np.minimum.accumulate(p[::-1])[::-1]
    return lowest


def _any_of(p: Numbers, tests: int | NDArray[np.intp]) -> Numbers:
    with np.errstate(divide="ignore"):  # a p-value of one is certain, and stays so
        chance: Numbers = -np.expm1(tests * np.log1p(-p))
    return chance


def _restored(adjusted: Numbers, order: NDArray[np.intp]) -> list[float]:
    restored = np.empty_like(adjusted)
    restored[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in restored]
