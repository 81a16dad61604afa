"""Summaries and moments of samples, for tests and benchmarks of the statistics."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.arm_means import Summary
from lab.stats.experiments.moments import Moments, merge_moments, no_rows

ROWS_AT_ONCE = 8192


def summarise(values: ArrayLike) -> Summary:
    """Return the count, mean and variance of a sample, without loss of precision for values far from 0."""
    return take_moments([values]).summary(0)


def take_moments(columns: Sequence[ArrayLike]) -> Moments:
    """Return the moments of columns of equal length, each shifted by its first value before squaring."""
    values = np.array([np.asarray(column, dtype=np.float64) for column in columns])
    starts = range(0, values.shape[1], ROWS_AT_ONCE)
    return merge_moments(
        [no_rows(len(values)), *(_of_batch(values[:, start : start + ROWS_AT_ONCE]) for start in starts)]
    )


def take_moments_by_arm(arms: ArrayLike, columns: Sequence[ArrayLike], *, count: int) -> list[Moments]:
    """Return the moments of each of `count` arms; `arms` is the arm of each row, counted from 0."""
    codes, values = np.asarray(arms), [np.asarray(column) for column in columns]
    return [take_moments([column[codes == arm] for column in values]) for arm in range(count)]


def _of_batch(values: np.ndarray) -> Moments:
    shifts = values[:, :1]
    with np.errstate(invalid="ignore", over="ignore"):  # `merge_moments` rejects what is not finite
        means = (values - shifts).mean(axis=1, keepdims=True)
        deviations = values - shifts - means
        products = np.einsum("ir,jr->ij", deviations, deviations)
    return Moments(values.shape[1], (means + shifts)[:, 0], products)
