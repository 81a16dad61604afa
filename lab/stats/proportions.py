"""Intervals for shares: of one sample, of the difference of two, and of the widest gap among several."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from lab.stats.probabilities import normal_quantile

Trials = tuple[int, int]


@dataclass(frozen=True)
class Gap:
    """The widest gap between the shares of several groups; `larger` and `smaller` name the two that make it.

    The interval holds for the gap between these two although they were picked as the extremes: it is widened for the
    number of pairs that could have been picked. Its lower end is below 0 where the gap may be chance.
    """

    value: float
    low: float
    high: float
    larger: str
    smaller: str


def wilson_interval(trials: Trials, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval (1927, Journal of the American Statistical Association 22) of (hits, rows).

    >>> [round(end, 6) for end in wilson_interval((10, 100))]
    [0.055229, 0.174366]
    """
    hits, rows = trials
    if not 0 <= hits <= rows or rows == 0:
        raise ValueError(f"expected hits among one row or more, got {hits} of {rows}")
    z, share = normal_quantile((1 + level) / 2), hits / rows
    middle = share + z * z / (2 * rows)
    reach = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    scale = 1 + z * z / rows
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def newcombe_interval(first: Trials, second: Trials, *, level: float = 0.95) -> tuple[float, float]:
    """Return Newcombe's hybrid score interval of the second share less the first (1998, Statistics in Medicine 17).

    Each sample is given as (hits, rows).

    >>> [round(end, 4) for end in newcombe_interval((48, 80), (56, 70))]
    [0.0524, 0.3339]
    """
    (low, high), (other_low, other_high) = (wilson_interval(trials, level=level) for trials in (first, second))
    share, other = first[0] / first[1], second[0] / second[1]
    difference = other - share
    return (
        difference - math.hypot(other - other_low, high - share),
        difference + math.hypot(other_high - other, share - low),
    )


def widest_gap(groups: Mapping[str, Trials], *, level: float = 0.95) -> Gap:
    """Return the widest gap between groups, each given as (hits, rows); at least two groups are needed.

    Bonferroni's correction over the pairs makes the level hold whichever pair is the widest.
    """
    if len(groups) < 2:
        raise ValueError(f"expected two groups or more, got {sorted(groups)}")
    ranked = sorted(groups, key=lambda name: (groups[name][0] / groups[name][1], name))
    smaller, larger = ranked[0], ranked[-1]
    pairs = len(list(combinations(ranked, 2)))
    low, high = newcombe_interval(groups[smaller], groups[larger], level=1 - (1 - level) / pairs)
    hits, others = groups[larger], groups[smaller]
    return Gap(hits[0] / hits[1] - others[0] / others[1], low, high, larger=larger, smaller=smaller)
