"""Sample quantiles with distribution-free confidence intervals."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lab.stats.models.bootstrap import UNDEFINED, Estimate


def quantile(values: ArrayLike, share: float, *, level: float = 0.95) -> Estimate:
    """Return a quantile with an interval of order statistics.

    The interval is exact for every distribution (Thompson, 1936, Annals of Mathematical Statistics 7): the number of
    values below the true quantile is binomial. An end is None when there are too few values for it.

    >>> quantile(range(1, 101), 0.5)
    Estimate(value=50.0, low=40.0, high=61.0)
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), kind="stable")
    count = len(ordered)
    if not count:
        return UNDEFINED
    below = special.bdtr(np.arange(count), count, share)  # P(at most this many values below the quantile)
    tail = (1 - level) / 2
    low = int(np.searchsorted(below, tail, side="right")) - 1
    high = int(np.searchsorted(below, 1 - tail, side="left"))
    return Estimate(
        value=float(ordered[max(0, int(np.ceil(round(share * count, 9))) - 1)]),
        low=float(ordered[low]) if low >= 0 else None,
        high=float(ordered[high]) if high < count else None,
    )
