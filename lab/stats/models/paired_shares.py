"""Net share of changed rows with the adjusted interval of Bonett and Price."""

import math

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.probabilities import normal_quantile
from lab.stats.models.bootstrap import UNDEFINED, Estimate


def net_share(changes: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Return the mean change per row, from −1 to 1, with its interval; undefined without rows.

    For the interval two rows are added, +1 and −1 (Bonett and Price, 2012, Journal of Educational and Behavioral
    Statistics 37), so that its width is not 0 when no row changed.

    >>> net_share([1] * 15 + [-1] * 5 + [0] * 80).value
    0.1
    """
    values = np.asarray(changes, dtype=np.float64)
    if not values.size:
        return UNDEFINED
    padded = np.append(values, [1.0, -1.0])
    middle = float(padded.mean())
    half_width = normal_quantile((1 + level) / 2) * math.sqrt(float(np.mean((padded - middle) ** 2)) / padded.size)
    return Estimate(float(values.mean()), max(-1.0, middle - half_width), min(1.0, middle + half_width))
