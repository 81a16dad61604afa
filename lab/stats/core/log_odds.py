"""Convert probabilities to log-odds."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

SMALLEST_PROBABILITY = 5e-7  # scores are rounded to 6 decimals, so a score of 0 means less than half a step
DECIMALS = 9  # the last bits of a logarithm differ between processors


def log_odds(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return the log-odds of probabilities clipped to [5e-7, 1 - 5e-7].

    >>> log_odds([0.5, 0.75, 1.0]).tolist()
    [0.0, 1.098612289, 14.508657239]
    """
    p = np.clip(np.asarray(probabilities, dtype=np.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.asarray(np.log(p / (1 - p)).round(DECIMALS))
