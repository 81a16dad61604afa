"""One-pass means, variances and covariances over batches, numerically stable."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.arm_means import Summary

Numbers = NDArray[np.float64]
ROWS_FOR_SHIFT = 64
ROWS_AT_ONCE = 8192  # fits into the CPU cache and bounds rounding errors


@dataclass(frozen=True)
class Moments:
    """The row count and column means of one arm; `products` are the sums of products of deviations from the means."""

    count: int
    means: Numbers
    products: Numbers

    def variance(self, column: int) -> float | None:
        """Return the variance of a column; None below two rows."""
        return self.covariance(column, column)

    def covariance(self, first: int, second: int) -> float | None:
        """Return the covariance of two columns; None below two rows."""
        return None if self.count < 2 else float(self.products[first, second]) / (self.count - 1)

    def summary(self, column: int) -> Summary:
        """Return the count, mean and variance of a column."""
        if self.count == 0:
            raise ValueError("expected at least one row, got none: an arm without units has no mean")
        return Summary(self.count, float(self.means[column]), self.variance(column))


def no_rows(columns: int) -> Moments:
    """Return the moments of zero rows."""
    return Moments(0, np.zeros(columns), np.zeros((columns, columns)))


def take_moments(columns: Sequence[ArrayLike]) -> Moments:
    """Return the moments of columns of equal length.

    Columns are shifted near their means before squaring, to keep precision.

    >>> take_moments([[1e9, 1e9 + 1, 1e9 + 2]]).variance(0)
    1.0
    """
    values = [np.asarray(column) for column in columns]
    if len({column.shape for column in values}) != 1 or values[0].ndim != 1:
        raise ValueError(f"expected columns of equal length, got {[column.shape for column in values]}")
    starts = range(0, len(values[0]), ROWS_AT_ONCE)
    parts = [_of_batch([column[start : start + ROWS_AT_ONCE] for column in values]) for start in starts]
    return merge_moments(parts) if parts else no_rows(len(values))


def take_moments_by_arm(arms: ArrayLike, columns: Sequence[ArrayLike], *, count: int) -> list[Moments]:
    """Return the moments of each of `count` arms; `arms` is the arm of each row, counted from 0.

    >>> [arm.count for arm in take_moments_by_arm([0, 1, 1], [[1.0, 2.0, 3.0]], count=2)]
    [1, 2]
    """
    codes = np.asarray(arms)
    if codes.size and (int(codes.min()) < 0 or int(codes.max()) >= count):
        raise ValueError(f"expected arms from 0 to {count - 1}, got {int(codes.min())} to {int(codes.max())}")
    values = [np.asarray(column) for column in columns]
    if any(column.shape != codes.shape for column in values):
        raise ValueError(f"expected an arm for each row, got {codes.shape} and {[column.shape for column in values]}")
    rows_by_arm = (np.flatnonzero(codes == arm) for arm in range(count))
    return [take_moments([column.take(rows) for column in values]) for rows in rows_by_arm]


def merge_moments(parts: Iterable[Moments]) -> Moments:
    """Return the moments of all rows from those of disjoint batches.

    Chan, Golub and LeVeque (1983), American Statistician 37.

    >>> both = merge_moments([take_moments([[1.0, 2.0]]), take_moments([[6.0]])])
    >>> both.count, both.means[0], both.variance(0)
    (3, np.float64(3.0), 7.0)
    """
    merged, *rest = parts
    with np.errstate(invalid="ignore", over="ignore"):
        for part in rest:
            merged = _merge_two(merged, part)
    if not np.isfinite(merged.products).all():
        raise ValueError("expected finite numbers, got missing, infinite or huge ones: drop or fill in these rows")
    return merged


def _merge_two(first: Moments, second: Moments) -> Moments:
    if min(first.count, second.count) == 0:
        return first if second.count == 0 else second
    count = first.count + second.count
    difference = second.means - first.means
    share = second.count / count
    products = first.products + second.products + np.outer(difference, difference) * (first.count * share)
    return Moments(count, first.means + difference * share, products)


def _of_batch(columns: Sequence[NDArray[Any]]) -> Moments:
    rows = len(columns[0])
    shifts = np.array([float(column[:ROWS_FOR_SHIFT].mean()) for column in columns])
    values = np.empty((len(columns), rows))
    with np.errstate(invalid="ignore", over="ignore"):  # `merge_moments` rejects what is not finite
        for column, shift, shifted in zip(columns, shifts, values, strict=True):
            np.subtract(column, shift, out=shifted)
        means = values.mean(axis=1)
        products = -rows * np.outer(means, means)
        for one, first in enumerate(values):
            for two in range(one + 1):
                products[one, two] += np.einsum(
                    "i,i->", first, values[two]
                )  # BLAS results depend on the number of threads
    return Moments(rows, means + shifts, np.tril(products) + np.tril(products, -1).T)
