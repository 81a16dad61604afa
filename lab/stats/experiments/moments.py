"""Mergeable means, variances and covariances, numerically stable."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.arm_means import Summary

Numbers = NDArray[np.float64]


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


def merge_moments(parts: Iterable[Moments]) -> Moments:
    """Return the moments of all rows from those of disjoint batches.

    Chan, Golub and LeVeque (1983), American Statistician 37.

    >>> parts = Moments(2, np.array([1.5]), np.array([[0.5]])), Moments(1, np.array([6.0]), np.array([[0.0]]))
    >>> both = merge_moments(parts)
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
