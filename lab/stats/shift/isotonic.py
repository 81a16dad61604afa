"""Isotonic regression, to calibrate scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class IsotonicCurve:
    """A non-decreasing curve: linear between its points, constant beyond them."""

    x: Numbers
    y: Numbers

    def at(self, values: ArrayLike) -> Numbers:
        return np.interp(np.asarray(values, dtype=np.float64), self.x, self.y)


def fit_isotonic(x: ArrayLike, y: ArrayLike) -> IsotonicCurve:
    """Return the non-decreasing curve with the least squared error; equal x are one point.

    Pool adjacent violators: Ayer, Brunk, Ewing, Reid and Silverman (1955), Annals of Mathematical Statistics 26. Only
    the two ends of each constant segment are kept.

    >>> fit_isotonic([1, 2, 3, 4], [0.0, 1.0, 0.0, 1.0]).y.tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    numbers, targets = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if numbers.shape != targets.shape or numbers.size == 0 or not np.isfinite([numbers, targets]).all():
        raise ValueError(f"expected at least one point, all finite, got {numbers.shape} and {targets.shape}")
    distinct, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    starts, heights = _pool(np.bincount(inverse, weights=targets).tolist(), counts.tolist())
    ends = np.append(starts[1:], len(distinct)) - 1
    corners = np.unique(np.concatenate([starts, ends]))
    level = np.searchsorted(starts, corners, side="right") - 1
    return IsotonicCurve(distinct[corners], heights[level])


def _pool(sums: list[float], counts: list[int]) -> tuple[NDArray[np.int64], Numbers]:
    """Return the start and the height of each constant segment."""
    stack: list[tuple[int, float, int]] = []
    for start, (total, count) in enumerate(zip(sums, counts, strict=True)):
        first, pooled, rows = start, total, count
        while stack and stack[-1][1] * rows >= pooled * stack[-1][2]:
            first, before, size = stack.pop()
            pooled, rows = pooled + before, rows + size
        stack.append((first, pooled, rows))
    return np.array([first for first, _, _ in stack]), np.array([pooled / rows for _, pooled, rows in stack])
