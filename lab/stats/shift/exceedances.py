"""A threshold that unusual rows of a known sample seldom pass, and whether more of a new sample pass it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Threshold:
    """A score that `above` of `rows` held-out rows pass; a new row does with a chance of (above + 1) / (rows + 1)."""

    value: float
    above: int
    rows: int

    @property
    def rate(self) -> float:
        """The promised false alarm rate."""
        return (self.above + 1) / (self.rows + 1)


def calibrate_threshold(scores: ArrayLike, *, rate: float) -> Threshold | None:
    """Return the lowest threshold that keeps the false alarm rate for a new row like these; None where too few rows.

    Split conformal: the place of a new row among n others is equally likely to be each of n + 1. Vovk, Gammerman and
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


def more_than_calibrated(passed: int, rows: int, threshold: Threshold) -> float:
    """Return the chance that so many of so many new rows, or more, pass the threshold where nothing has changed.

    Exact, and fair about the threshold being an estimate: the rows that pass are beta-binomial.

    >>> round(more_than_calibrated(1, 1, Threshold(0.9, 0, 9)), 4)
    0.1
    """
    if passed == 0 or rows == 0:
        return 1.0
    counts = np.arange(passed, rows + 1)
    one, two = threshold.above + 1, threshold.rows - threshold.above
    logs = (
        special.gammaln(rows + 1)
        - special.gammaln(counts + 1)
        - special.gammaln(rows - counts + 1)
        + special.betaln(counts + one, rows - counts + two)
        - special.betaln(one, two)
    )
    return float(min(1.0, np.exp(special.logsumexp(logs))))
