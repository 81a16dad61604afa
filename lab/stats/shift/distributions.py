"""Hold a sample of numbers as its distinct values and the rows at or below each, whole or thinned to a fixed size."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

OUTERMOST = 256  # values at either end that thinning keeps one by one: tails are where bins are widest


@dataclass(frozen=True)
class Distribution:
    """Distinct values, rising, with the rows at or below each; `spread` is the deviation of the finite ones.

    A thinned one (`exact` is False) knows its rows at the values that it kept, and nothing of the places between them.
    """

    values: Numbers
    below: Counts
    spread: float
    exact: bool = True

    @property
    def rows(self) -> int:
        return int(self.below[-1]) if len(self.below) else 0


def distribution_of(sample: ArrayLike) -> Distribution:
    """Return a sample's distribution; missing values are refused, infinite ones are not.

    >>> distribution_of([3.0, 1.0, 3.0]).below.tolist()
    [1, 3]
    """
    ranked = np.asarray(sample, dtype=np.float64) + 0.0  # + 0.0 copies, and makes −0.0 a plain zero
    ranked.sort()
    if ranked.size == 0 or np.isnan(ranked[-1]):
        raise ValueError(f"expected numbers without missing values, one or more, got {ranked.size}")
    below = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1) + 1
    return Distribution(ranked[below - 1], below, spread_of(ranked))


def spread_of(sample: Numbers) -> float:
    """Return the standard deviation of the finite values, however large they are; 0 for fewer than two."""
    finite = sample[np.isfinite(sample)] if sample.size and not np.isfinite(sample[[0, -1]]).all() else sample
    if finite.size < 2:
        return 0.0
    scale = float(max(abs(finite[0]), abs(finite[-1]))) or 1.0
    spread = float(np.std(finite / scale, ddof=1)) * scale
    return spread if np.isfinite(spread) else float(np.finfo(np.float64).max)


def thinned(whole: Distribution, *, points: int) -> Distribution:
    """Return a distribution of at most about three values a point, each bin between them at most 1/points of the rows.

    The ends are kept, and so is every value that is as heavy as a bin, with the value before it. What is compared with
    it is first rounded up to its values (`rounded_up`), so both distribution functions are exact wherever they are
    looked at: a distance can only be missed by less than 1/points, never be made.
    """
    if len(whole.values) <= points:
        return whole
    counts = np.diff(whole.below, prepend=0)
    even = np.searchsorted(whole.below, np.arange(1, points) * (whole.rows / points))
    heavy = np.flatnonzero(counts >= whole.rows / points)
    ends = np.concatenate([np.arange(OUTERMOST), len(whole.values) - 1 - np.arange(OUTERMOST)])
    places = np.unique(np.concatenate([even, heavy, heavy - 1, ends]))
    places = places[(places >= 0) & (places < len(whole.values))]
    if len(places) == len(whole.values):
        return whole
    return replace(whole, values=whole.values[places], below=whole.below[places], exact=False)


def rounded_up(fine: Distribution, values: Numbers) -> Distribution:
    """Return a distribution whose values are rounded up to the given ones; beyond the largest they stay."""
    places = np.searchsorted(values, fine.values, side="left")
    beyond = places == len(values)
    moved = np.where(beyond, fine.values, values[np.minimum(places, len(values) - 1)])
    last = np.append(np.flatnonzero(moved[1:] != moved[:-1]), len(moved) - 1)
    return replace(fine, values=moved[last], below=fine.below[last], exact=False)
