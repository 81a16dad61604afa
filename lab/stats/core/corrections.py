"""Adjust p-values for multiple testing.

Each function returns the adjusted p-values in the order given; compare them with the significance level itself.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down p-values (1979, Scandinavian Journal of Statistics 6).

    They control the family-wise error rate.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p, order = _sorted(p_values)
    return _unsorted(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), order)


def holm_divisors(p_values: Sequence[float], *, level: float) -> list[int]:
    """Return by how much Holm's test divides the level for each p-value.

    An interval at its divided level excludes no effect exactly where Holm's p-value is below the level. Those of the
    tests that are not rejected share the level of the first of them, as Bonferroni's would over these alone.

    >>> holm_divisors([0.01, 0.04, 0.03], level=0.05)
    [3, 2, 2]
    """
    p, order = _sorted(p_values)
    steps = np.arange(len(p), 0, -1)
    rejected = int(np.argmin(np.append(p * steps < level, False)))
    steps[rejected:] = max(len(p) - rejected, 1)
    divisors = np.empty_like(steps)
    divisors[order] = steps
    return [int(divisor) for divisor in divisors]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return the q-values of Benjamini and Hochberg (1995, Journal of the Royal Statistical Society B 57).

    They control the false discovery rate: of the tests below q, a share of at most q is expected to be false.

    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5])
    [0.04, 0.05333333333333334, 0.05333333333333334, 0.5]
    """
    p, order = _sorted(p_values)
    scaled = p * len(p) / np.arange(1, len(p) + 1)
    return _unsorted(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _sorted(p_values: Sequence[float]) -> tuple[Numbers, NDArray[np.intp]]:
    p = np.asarray(p_values, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(
            f"expected p-values between 0 and 1, got {[value for value in p_values if not 0 <= value <= 1]}"
        )
    order = np.argsort(p, kind="stable")
    return p[order], order


def _unsorted(adjusted: Numbers, order: NDArray[np.intp]) -> list[float]:
    unsorted = np.empty_like(adjusted)
    unsorted[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in unsorted]
