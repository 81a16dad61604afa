"""Conformal thresholds for anomaly scores, and a test of the exceedance rate."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lab.stats.core.probabilities import log_choose


@dataclass(frozen=True)
class Threshold:
    """A score exceeded by `above` of `rows` held-out rows."""

    value: float
    above: int
    rows: int

    @property
    def rate(self) -> float:
        """The guaranteed false alarm rate of a new row."""
        return (self.above + 1) / (self.rows + 1)


def calibrate_threshold(scores: ArrayLike, *, rate: float) -> Threshold | None:
    """Return the lowest threshold with at most this false alarm rate for a new row; None for too few rows.

    Split conformal prediction: the rank of a new row among n others is uniform over n + 1 values. Vovk, Gammerman and
    Shafer (2005), Algorithmic Learning in a Random World.

    >>> calibrate_threshold([0.1, 0.2, 0.3, 0.9], rate=0.4).value
    0.3
    """
    ranked = np.sort(np.asarray(scores, dtype=np.float64), kind="stable")
    above = math.floor(rate * (len(ranked) + 1) + 1e-9) - 1
    if above < 0:
        return None
    value = float(ranked[len(ranked) - above - 1])
    return Threshold(value, int(np.sum(ranked > value)), len(ranked))


def exceedance_p_value(exceeding: int, rows: int, threshold: Threshold) -> float:
    """Return the exact probability that at least this many of new rows exceed the threshold, when nothing has changed.

    The count is beta-binomial, because the threshold is itself estimated.

    >>> round(exceedance_p_value(1, 1, Threshold(0.9, 0, 9)), 4)
    0.1
    """
    if exceeding == 0 or rows == 0:
        return 1.0
    counts = np.arange(exceeding, rows + 1)
    one, two = threshold.above + 1, threshold.rows - threshold.above
    logs = log_choose(rows, counts) + special.betaln(counts + one, rows - counts + two) - special.betaln(one, two)
    return float(min(1.0, np.exp(special.logsumexp(logs))))
