"""McNemar's test: compare the accuracy of two models on the same rows."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.probabilities import (
    binomial_half_cdf,
    binomial_half_log10_p,
    binomial_half_p_value,
    normal_quantile,
)


@dataclass(frozen=True)
class McNemarTest:
    """The accuracies of two models (`first`, `second`) on the same rows; the difference is second minus first.

    `only_first` and `only_second` count the rows on which only that model is correct. Use `p_value` (mid-p); the exact
    one is valid in the smallest samples too, but has less power.
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
    """Return McNemar's test for two lists that are true where the model is correct.

    >>> compare_correctness([True, True, False], [True, True, False]).p_value
    1.0
    """
    one, two = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if one.shape != two.shape:
        raise ValueError(f"expected two lists of equal length, got {one.shape} and {two.shape}")
    both = int(np.sum(one & two))
    only = int(np.sum(one & ~two)), int(np.sum(~one & two))
    return mcnemar_test(both, *only, one.size - both - sum(only), level=level)


def mcnemar_test(both: int, only_first: int, only_second: int, neither: int, *, level: float = 0.95) -> McNemarTest:
    """Return McNemar's test for the four counts of a paired table.

    Mid-p: Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology 13. The interval is Wald's for a
    paired difference. For models that are correct on the same rows the p-value is 1 and the interval has width 0.

    >>> round(mcnemar_test(1, 1, 7, 12).p_value, 7)
    0.0390625
    """
    rows, discordant = both + only_first + only_second + neither, only_first + only_second
    if min(both, only_first, only_second, neither) < 0 or rows == 0:
        counts = [both, only_first, only_second, neither]
        raise ValueError(f"expected four counts of at least 0, one of them above 0, got {counts}")
    difference = (only_second - only_first) / rows
    error = math.sqrt(max(discordant - (only_second - only_first) ** 2 / rows, 0.0)) / rows
    half_width = normal_quantile((1 + level) / 2) * error
    return McNemarTest(
        only_first=only_first,
        only_second=only_second,
        rows=rows,
        first=(both + only_first) / rows,
        second=(both + only_second) / rows,
        difference=difference,
        standard_error=error,
        low=difference - half_width,
        high=difference + half_width,
        p_value=_mid_p(only_first, discordant),
        exact_p_value=binomial_half_p_value(only_first, discordant),
        exact_log10_p=binomial_half_log10_p(only_first, discordant),
        reason="" if discordant else "correct on the same rows",
    )


def _mid_p(only_first: int, discordant: int) -> float:
    if discordant == 0:
        return 1.0
    fewer = min(only_first, discordant - only_first)
    at_most, below = binomial_half_cdf(fewer, discordant), binomial_half_cdf(fewer - 1, discordant)
    if 2 * fewer == discordant:
        return 1 - (at_most - below) / 2
    return at_most + below
