"""The share of rows that a change turns, one way less the other, with an interval that few turned rows cannot fool."""

import math

import numpy as np
from numpy.typing import ArrayLike

from lab.stats.core.probabilities import normal_quantile
from lab.stats.models.bootstrap import UNDEFINED, Estimate


def net_share(changes: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Return the mean of what changed in each row, from −1 to 1, with its interval; no rows have none.

    For the interval one row is added that changed each way (Bonett and Price, 2012, Journal of Educational and
    Behavioral Statistics 37), so that rows none of which changed do not prove that none ever will.

    >>> net_share([1] * 15 + [-1] * 5 + [0] * 80).value
    0.1
    """
    seen = np.asarray(changes, dtype=np.float64)
    if not seen.size:
        return UNDEFINED
    padded = np.append(seen, [1.0, -1.0])
    middle = float(padded.mean())
    reach = normal_quantile((1 + level) / 2) * math.sqrt(float(np.mean((padded - middle) ** 2)) / padded.size)
    return Estimate(float(seen.mean()), max(-1.0, middle - reach), min(1.0, middle + reach))
