"""Probabilities as log-odds, where distances near 0 and 1 are as wide as they are to a gambler."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

SMALLEST_PROBABILITY = 5e-7  # half a step of a score, which is rounded to 6 decimals: a score of 0 is not certainty
DECIMALS = 9  # the last bits of a logarithm are the processor's own


def log_odds(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return the log-odds of probabilities, which are kept 5e-7 away from 0 and 1.

    >>> log_odds([0.5, 0.75, 1.0]).tolist()
    [0.0, 1.098612289, 14.508657239]
    """
    kept = np.clip(np.asarray(probabilities, dtype=np.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.asarray(np.log(kept / (1 - kept)).round(DECIMALS))
