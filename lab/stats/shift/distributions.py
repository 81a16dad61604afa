"""Empirical distributions of numbers, exact or thinned to a fixed size."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

OUTERMOST = 256  # values at each end that thinning keeps, because bins are widest in the tails


@dataclass(frozen=True)
class Distribution:
    """Distinct values, ascending, with the rows at or below each; `spread` is the standard deviation of finite ones.

    A thinned distribution (`exact` is False) is known only at its values, not between them.
    """

    values: Numbers
    below: Counts
    spread: float
    exact: bool = True

    @property
    def rows(self) -> int:
        return int(self.below[-1]) if len(self.below) else 0


def distribution_of(sample: ArrayLike) -> Distribution:
    """Return the distribution of a sample, which may contain infinite but no missing values.

    >>> distribution_of([3.0, 1.0, 3.0]).below.tolist()
    [1, 3]
    """
    ranked = np.asarray(sample, dtype=np.float64) + 0.0  # + 0.0 copies, and turns −0.0 into 0.0
    ranked.sort()
    if ranked.size == 0 or np.isnan(ranked[-1]):
        raise ValueError(f"expected at least one number and none missing, got {ranked.size}")
    below = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1) + 1
    return Distribution(ranked[below - 1], below, spread_of(ranked))


def spread_of(sample: Numbers) -> float:
    """Return the standard deviation of the finite values of a sorted sample, without overflow; 0 for fewer than two."""
    finite = sample[np.isfinite(sample)] if sample.size and not np.isfinite(sample[[0, -1]]).all() else sample
    if finite.size < 2:
        return 0.0
    scale = float(max(abs(finite[0]), abs(finite[-1]))) or 1.0
    spread = float(np.std(finite / scale, ddof=1)) * scale
    return spread if np.isfinite(spread) else float(np.finfo(np.float64).max)


def thinned(full: Distribution, *, points: int) -> Distribution:
    """Return a distribution of at most about 3·points values, with at most 1/points of the rows between two of them.

    The ends are kept, and every value as frequent as a bin together with the value before it. A sample to compare is
    first rounded up to these values (`rounded_up`), so both distribution functions are exact at them: a distance is
    underestimated by less than 1/points and never overestimated.
    """
    if len(full.values) <= points:
        return full
    counts = np.diff(full.below, prepend=0)
    even = np.searchsorted(full.below, np.arange(1, points) * (full.rows / points))
    heavy = np.flatnonzero(counts >= full.rows / points)
    ends = np.concatenate([np.arange(OUTERMOST), len(full.values) - 1 - np.arange(OUTERMOST)])
    kept = np.unique(np.concatenate([even, heavy, heavy - 1, ends]))
    kept = kept[(kept >= 0) & (kept < len(full.values))]
    if len(kept) == len(full.values):
        return full
    return replace(full, values=full.values[kept], below=full.below[kept], exact=False)


def rounded_up(fine: Distribution, values: Numbers) -> Distribution:
    """Return a distribution with values rounded up to the given ones; values above the largest are unchanged."""
    indices = np.searchsorted(values, fine.values, side="left")
    above = indices == len(values)
    rounded = np.where(above, fine.values, values[np.minimum(indices, len(values) - 1)])
    last = np.append(np.flatnonzero(rounded[1:] != rounded[:-1]), len(rounded) - 1)
    return replace(fine, values=rounded[last], below=fine.below[last], exact=False)
