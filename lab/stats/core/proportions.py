"""Confidence intervals for a proportion and for the difference of two proportions."""

import math

from lab.stats.core.probabilities import normal_quantile

Trials = tuple[int, int]
EffectiveTrials = tuple[float, float]  # of correlated rows: no whole numbers


def wilson_interval(trials: EffectiveTrials, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval (1927, Journal of the American Statistical Association 22) of (hits, rows).

    >>> [round(end, 6) for end in wilson_interval((10, 100))]
    [0.055229, 0.174366]
    """
    hits, rows = trials
    if not 0 <= hits <= rows or rows == 0:
        raise ValueError(f"expected 0 to n hits in n rows, n at least 1; got {hits} of {rows}")
    z, share = normal_quantile((1 + level) / 2), hits / rows
    middle = share + z * z / (2 * rows)
    half_width = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    scale = 1 + z * z / rows
    return max(0.0, (middle - half_width) / scale), min(1.0, (middle + half_width) / scale)


def newcombe_interval(
    first: EffectiveTrials, second: EffectiveTrials, *, level: float = 0.95, correlation: float = 0.0
) -> tuple[float, float]:
    """Return Newcombe's hybrid score interval of the second share minus the first (1998, Statistics in Medicine 17).

    Each sample is given as (hits, rows); `correlation` is that of the two shares, 0 for independent samples.

    >>> [round(end, 4) for end in newcombe_interval((48, 80), (56, 70))]
    [0.0524, 0.3339]
    """
    (low, high), (other_low, other_high) = (wilson_interval(trials, level=level) for trials in (first, second))
    share, other = first[0] / first[1], second[0] / second[1]
    difference = other - share
    return (
        difference - _side(other - other_low, high - share, correlation),
        difference + _side(other_high - other, share - low, correlation),
    )


def _side(one: float, two: float, correlation: float) -> float:
    """Return the square root of one² + two² − 2 · correlation · one · two."""
    return math.hypot(one - correlation * two, two * math.sqrt(1 - correlation**2))
