"""Compare arms by the ranks of their values: what no outlier can carry."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.probabilities import chi_square_p_value, normal_p_value

Numbers = NDArray[np.float64]
ALL_TIED = "every value is the same"


@dataclass(frozen=True)
class RankSumTest:
    """Mann and Whitney's U of the treatment, and the chance that a treated value exceeds a control's (ties half)."""

    u: float
    superiority: float
    p_value: float
    reason: str


@dataclass(frozen=True)
class RankVarianceTest:
    """Kruskal and Wallis' H over several arms."""

    h: float
    degrees: int
    p_value: float
    reason: str


def rank_sum_test(control: ArrayLike, treatment: ArrayLike, *, corrected: bool = True) -> RankSumTest:
    """Return Mann and Whitney's test (1947) by its normal limit with ties, corrected for continuity by default.

    >>> found = rank_sum_test([1.0, 2.0], [2.5, 4.0])
    >>> found.u, round(found.p_value, 6)
    (4.0, 0.245278)
    """
    samples = [_checked(sample) for sample in (control, treatment)]
    first, second = (sample.size for sample in samples)
    ranks, ties = _midranks(np.concatenate(samples))
    u = float(ranks[first:].sum()) - second * (second + 1) / 2
    total = first + second
    variance = first * second / 12 * (total + 1 - ties / (total * (total - 1)))
    superiority = u / (first * second)
    if variance <= 0:
        return RankSumTest(u, superiority, 1.0, ALL_TIED)
    distance = max(0.0, abs(u - first * second / 2) - (0.5 if corrected else 0.0))
    return RankSumTest(u, superiority, normal_p_value(distance / math.sqrt(variance)), "")


def rank_variance_test(arms: Sequence[ArrayLike]) -> RankVarianceTest:
    """Return Kruskal and Wallis' test (1952) of several arms, with ties.

    >>> round(rank_variance_test([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).h, 4)
    3.8571
    """
    samples = [_checked(arm) for arm in arms]
    if len(samples) < 2:
        raise ValueError(f"expected two arms or more, got {len(samples)}")
    ranks, ties = _midranks(np.concatenate(samples))
    total, degrees = ranks.size, len(samples) - 1
    if ties == total**3 - total:
        return RankVarianceTest(0.0, degrees, 1.0, ALL_TIED)
    ends = np.cumsum([sample.size for sample in samples])[:-1]
    squares = sum(float(part.sum()) ** 2 / part.size for part in np.split(ranks, ends))
    h = (12 / (total * (total + 1)) * squares - 3 * (total + 1)) / (1 - ties / (total**3 - total))
    return RankVarianceTest(h, degrees, chi_square_p_value(max(0.0, h), degrees), "")


def _checked(sample: ArrayLike) -> Numbers:
    values = np.asarray(sample, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or np.isnan(values).any():
        raise ValueError(f"expected numbers, one or more in every arm, got {values.shape}")
    return values


def _midranks(values: Numbers) -> tuple[Numbers, float]:
    """Return the ranks, ties sharing theirs, and the sum of t³ − t over the groups of t tied values."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[places]
    sizes = counts.astype(np.float64)
    return ranks, float(np.sum(sizes**3 - sizes))
