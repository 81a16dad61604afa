"""The sign test: whether paired differences lie as often above 0 as below it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.probabilities import fair_coin_log10_p, fair_coin_p_value


@dataclass(frozen=True)
class SignTest:
    """How many differences are above 0, of those that are not 0, and the exact two-sided p-value."""

    positive: int
    count: int
    p_value: float
    log10_p: float
    reason: str


def sign_test(differences: ArrayLike) -> SignTest:
    """Return the exact sign test (Arbuthnot, 1710); differences of 0 are left out, and without any other p is 1.

    >>> sign_test([0.1, 0.2, 0.0, 0.3, 0.4, 0.2]).p_value
    0.0625
    """
    found = np.asarray(differences, dtype=np.float64)
    if found.ndim != 1 or found.size == 0 or np.isnan(found).any():
        raise ValueError(f"expected a list of differences, one or more, got {found.shape}")
    positive, count = int(np.sum(found > 0)), int(np.sum(found != 0))
    if count == 0:
        return SignTest(0, 0, 1.0, 0.0, "every difference is 0")
    return SignTest(positive, count, fair_coin_p_value(positive, count), fair_coin_log10_p(positive, count), "")
