"""Ratios and slopes with their 95 % intervals."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

LEVEL = 0.95


def ratio_of(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Return the geometric mean of the ratios of each round, and the ends of its interval (Student's, on logarithms).

    >>> [round(each, 3) for each in ratio_of([2.0, 4.0, 8.0], [1.0, 2.0, 4.0])]
    [2.0, 2.0, 2.0]
    """
    logs = np.log(np.asarray(ours) / np.asarray(theirs))
    mean, half = float(logs.mean()), _half_width(logs)
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def slope_of(moments: Sequence[float], values: Sequence[float]) -> tuple[float, float, float]:
    """Return how much values rise in one unit of time by a fitted line, and the ends of its interval.

    Neighbouring values of a process are alike, so the interval is widened by what the residuals' correlation with the
    one before them says: as many values count as would be independent, (1 - r) / (1 + r) of them.
    """
    line = stats.linregress(moments, values)
    residuals = np.asarray(values) - (line.intercept + line.slope * np.asarray(moments))
    spread = float(np.sum(residuals**2))
    alike = max(0.0, float(np.sum(residuals[1:] * residuals[:-1])) / spread) if spread else 0.0
    counted = max(3.0, len(residuals) * (1 - alike) / (1 + alike))
    half = float(stats.t.ppf((1 + LEVEL) / 2, counted - 2) * line.stderr * math.sqrt(len(residuals) / counted))
    return float(line.slope), float(line.slope - half), float(line.slope + half)


def _half_width(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    if len(values) < 2:
        return math.inf
    return float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
