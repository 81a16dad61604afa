"""McNemar's test: which of two models is right more often on the same rows."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.probabilities import (
    chi_square_p_value,
    fair_coin_log10_p,
    fair_coin_p_value,
    fair_coin_share,
    normal_quantile,
)


@dataclass(frozen=True)
class McNemarTest:
    """Two models' accuracy on the same rows; the difference is second less first.

    `first` and `second` are the accuracies; `only_first` and `only_second` count the rows that one model alone has
    right: nothing else bears on the difference. Use `p_value` (mid-p); the exact one keeps its promise in the smallest
    samples too, at the price of power.
    """

    only_first: int
    only_second: int
    rows: int
    first: float
    second: float
    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float
    exact_p_value: float
    exact_log10_p: float
    reason: str


def compare_correctness(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> McNemarTest:
    """Return McNemar's test for two lists that say, row by row, whether each model was right.

    >>> compare_correctness([True, True, False], [True, True, False]).p_value
    1.0
    """
    right, also = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if right.shape != also.shape:
        raise ValueError(f"expected the same rows twice, got {right.shape} and {also.shape}")
    both = int(np.sum(right & also))
    only = int(np.sum(right & ~also)), int(np.sum(~right & also))
    return mcnemar_test(both, *only, right.size - both - sum(only), level=level)


def mcnemar_test(both: int, only_first: int, only_second: int, neither: int, *, level: float = 0.95) -> McNemarTest:
    """Return McNemar's test for the four counts of a paired table.

    Mid-p: Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology 13. Models that are never right alone
    do not differ: the p-value is 1. The interval is Wald's for a paired difference, of width 0 in that case.

    >>> round(mcnemar_test(1, 1, 7, 12).p_value, 7)
    0.0390625
    """
    rows, discordant = both + only_first + only_second + neither, only_first + only_second
    if min(both, only_first, only_second, neither) < 0 or rows == 0:
        raise ValueError(f"expected four counts of one row or more, got {[both, only_first, only_second, neither]}")
    difference = (only_second - only_first) / rows
    error = math.sqrt(max(discordant - (only_second - only_first) ** 2 / rows, 0.0)) / rows
    reach = normal_quantile((1 + level) / 2) * error
    return McNemarTest(
        only_first=only_first,
        only_second=only_second,
        rows=rows,
        first=(both + only_first) / rows,
        second=(both + only_second) / rows,
        difference=difference,
        standard_error=error,
        low=difference - reach,
        high=difference + reach,
        p_value=_mid_p(only_first, discordant),
        exact_p_value=fair_coin_p_value(only_first, discordant),
        exact_log10_p=fair_coin_log10_p(only_first, discordant),
        reason="" if discordant else "right on the same rows",
    )


def mcnemar_chi_square(only_first: int, only_second: int, *, corrected: bool = False) -> tuple[float, float]:
    """Return McNemar's chi-square and its p-value, with Edwards' correction on request; mid-p is the better test.

    >>> mcnemar_chi_square(0, 0)
    (0.0, 1.0)
    """
    discordant = only_first + only_second
    distance = abs(only_second - only_first) - (1 if corrected else 0)
    statistic = distance**2 / discordant if discordant else 0.0
    return statistic, chi_square_p_value(statistic, 1)


def _mid_p(only_first: int, discordant: int) -> float:
    if discordant == 0:
        return 1.0
    fewer = min(only_first, discordant - only_first)
    at_most, below = fair_coin_share(fewer, discordant), fair_coin_share(fewer - 1, discordant)
    if 2 * fewer == discordant:
        return 1 - (at_most - below) / 2
    return at_most + below
