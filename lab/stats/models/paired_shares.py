"""Net share of changed rows with the adjusted interval of Bonett and Price."""

import math

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.clusters import repeated_units
from lab.stats.core.probabilities import normal_quantile, student_quantile
from lab.stats.models.bootstrap import UNDEFINED, Estimate


def net_share(changes: ArrayLike, *, units: ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return the mean change per row, from −1 to 1, with its interval; undefined without rows.

    For the interval two rows are added, +1 and −1 (Bonett and Price, 2012, Journal of Educational and Behavioral
    Statistics 37), so that its width is not 0 when no row changed. Where units repeat, the changes are added up within
    each unit and one unit of each sign is added.

    >>> net_share([1] * 15 + [-1] * 5 + [0] * 80).value
    0.1
    """
    values = np.asarray(changes, dtype=np.float64)
    if not values.size:
        return UNDEFINED
    padded = np.append(values, [1.0, -1.0])
    middle = float(padded.mean())
    quantile, variance = normal_quantile((1 + level) / 2), float(np.mean((padded - middle) ** 2)) / padded.size
    if (codes := repeated_units(units)) is not None:
        count = int(codes.max()) + 1
        sums = np.bincount(np.append(codes, [count, count + 1]), weights=(padded - middle) / padded.size)
        quantile, variance = student_quantile((1 + level) / 2, count + 1), float(np.sum(sums**2))
    half_width = quantile * math.sqrt(variance)
    return Estimate(float(values.mean()), max(-1.0, middle - half_width), min(1.0, middle + half_width))
