"""Wilcoxon's signed rank test of paired differences."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.probabilities import normal_p_value

Numbers = NDArray[np.float64]
MOST_EXACT = 60  # differences; beyond, the normal approximation is accurate enough


@dataclass(frozen=True)
class SignedRankTest:
    """The rank sums of the positive and the negative differences; `count` leaves out zeros.

    `smallest_p_value` is the smallest one possible for this count: above the significance level, the test can never
    be significant. `effect` is the rank-biserial correlation, 1 when all differences are positive.
    """

    count: int
    positive_sum: float
    negative_sum: float
    p_value: float
    smallest_p_value: float
    exact: bool
    effect: float
    reason: str


def signed_rank_test(differences: ArrayLike) -> SignedRankTest:
    """Return Wilcoxon's two-sided test (1945, Biometrics Bulletin 1); differences of 0 are left out.

    Exact for up to sixty differences, ties included, by counting the sign patterns; beyond by the normal approximation
    with the variance corrected for ties, without continuity correction. The p-value is 1 when all differences are 0.

    >>> found = signed_rank_test([0.01, 0.03, 0.02, 0.04])
    >>> found.p_value, found.smallest_p_value
    (0.125, 0.125)
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"expected a list of one finite difference or more, got {values.shape}")
    values = values[values != 0]
    if values.size == 0:
        return SignedRankTest(0, 0.0, 0.0, 1.0, 1.0, exact=True, effect=0.0, reason="all differences are 0")
    ranks = _midranks(np.abs(values))
    positive, negative = float(ranks[values > 0].sum()), float(ranks[values < 0].sum())
    exact = values.size <= MOST_EXACT
    return SignedRankTest(
        count=int(values.size),
        positive_sum=positive,
        negative_sum=negative,
        p_value=_exact_p(ranks, min(positive, negative)) if exact else normal_p_value(_z(ranks, positive)),
        smallest_p_value=2.0 ** (1 - values.size) if exact else normal_p_value(_z(ranks, float(ranks.sum()))),
        exact=exact,
        effect=(positive - negative) / (positive + negative),
        reason="",
    )


def _midranks(values: Numbers) -> Numbers:
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[codes]
    return ranks


def _exact_p(ranks: Numbers, smaller: float) -> float:
    """Return twice the share of sign patterns whose rank sum is at most the smaller one."""
    doubled = np.round(2 * ranks).astype(np.int64)  # midranks are multiples of ½
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1.0
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    return min(1.0, 2 * float(ways[: round(2 * smaller) + 1].sum()) / 2.0 ** len(ranks))


def _z(ranks: Numbers, positive: float) -> float:
    return abs(positive - float(ranks.sum()) / 2) / math.sqrt(float(np.sum(ranks**2)) / 4)
