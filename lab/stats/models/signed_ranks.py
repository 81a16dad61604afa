"""Wilcoxon's signed rank test: whether paired differences lie as often, and as far, above 0 as below it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.probabilities import normal_p_value

Numbers = NDArray[np.float64]
MOST_EXACT = 60  # differences; beyond, the normal limit is right to more digits than anyone reads


@dataclass(frozen=True)
class SignedRankTest:
    """The rank sums of the positive and the negative differences; `count` leaves out those that are 0.

    `smallest_p_value` is what so few differences could have given at best: above the level asked for, the test cannot
    tell, whatever the differences. `effect` is the rank-biserial correlation, 1 where all differences are positive.
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

    Exact for up to sixty differences, ties included, by counting the sign patterns; beyond by the normal limit with
    the variance that ties leave, without correction for continuity. No difference at all: p-value 1.

    >>> found = signed_rank_test([0.01, 0.03, 0.02, 0.04])
    >>> found.p_value, found.smallest_p_value
    (0.125, 0.125)
    """
    found = np.asarray(differences, dtype=np.float64)
    if found.ndim != 1 or found.size == 0 or not np.isfinite(found).all():
        raise ValueError(f"expected a list of finite differences, one or more, got {found.shape}")
    found = found[found != 0]
    if found.size == 0:
        return SignedRankTest(0, 0.0, 0.0, 1.0, 1.0, exact=True, effect=0.0, reason="every difference is 0")
    ranks = _midranks(np.abs(found))
    positive, negative = float(ranks[found > 0].sum()), float(ranks[found < 0].sum())
    exact = found.size <= MOST_EXACT
    return SignedRankTest(
        count=int(found.size),
        positive_sum=positive,
        negative_sum=negative,
        p_value=_exact_p(ranks, min(positive, negative)) if exact else normal_p_value(_z(ranks, positive)),
        smallest_p_value=2.0 ** (1 - found.size) if exact else normal_p_value(_z(ranks, float(ranks.sum()))),
        exact=exact,
        effect=(positive - negative) / (positive + negative),
        reason="",
    )


def normal_signed_rank_p(differences: ArrayLike, *, corrected: bool = False) -> float:
    """Return the p-value of the normal limit, with a correction for continuity on request; one difference must be left.

    >>> round(normal_signed_rank_p([0.01, 0.03, 0.02, 0.04], corrected=True), 6)
    0.100348
    """
    found = np.asarray(differences, dtype=np.float64)
    ranks = _midranks(np.abs(found[found != 0]))
    return normal_p_value(_z(ranks, float(ranks[found[found != 0] > 0].sum()), corrected=corrected))


def _midranks(values: Numbers) -> Numbers:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def _exact_p(ranks: Numbers, smaller: float) -> float:
    """Return twice the share of the sign patterns whose sum is at most the smaller one."""
    doubled = np.round(2 * ranks).astype(np.int64)  # midranks are whole or half
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1.0
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    return min(1.0, 2 * float(ways[: round(2 * smaller) + 1].sum()) / 2.0 ** len(ranks))


def _z(ranks: Numbers, positive: float, *, corrected: bool = False) -> float:
    distance = abs(positive - float(ranks.sum()) / 2) - (0.5 if corrected else 0.0)
    return max(0.0, distance) / math.sqrt(float(np.sum(ranks**2)) / 4)
