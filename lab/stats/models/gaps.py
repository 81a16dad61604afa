"""Pairwise differences and ratios between groups, with simultaneous confidence intervals."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.clusters import Codes, Correlations, correlations_by_unit, repeated_units, variance_by_unit
from lab.stats.core.probabilities import student_quantile
from lab.stats.core.proportions import EffectiveTrials, newcombe_interval, wilson_interval

Numbers = NDArray[np.float64]
Sample = TypeVar("Sample")
Mean = tuple[float, float, float]  # with its variance and degrees of freedom
INDEPENDENT: Correlations = {}


@dataclass(frozen=True)
class PairGap:
    """A comparison of two groups: the difference larger minus smaller, or the ratio smaller over larger."""

    value: float
    low: float
    high: float
    larger: str
    smaller: str


def share_gaps(
    groups: Mapping[str, EffectiveTrials], *, level: float = 0.95, correlations: Correlations = INDEPENDENT
) -> list[PairGap]:
    """Return the difference of the shares of every pair of groups, each given as (hits, rows).

    Newcombe's intervals (1998, Statistics in Medicine 17), widened by Bonferroni's correction over the pairs. Pairs
    without a correlation are independent.

    >>> [(gap.larger, round(gap.low, 4)) for gap in share_gaps({"a": (48, 80), "b": (56, 70)})]
    [('b', 0.0524)]
    """
    shares = {name: hits / rows for name, (hits, rows) in groups.items()}
    return _pairs(groups, shares, _share_gap, level=level, correlations=correlations)


def share_ratios(
    groups: Mapping[str, EffectiveTrials], *, level: float = 0.95, correlations: Correlations = INDEPENDENT
) -> list[PairGap]:
    """Return the smaller share over the larger of every pair of groups, each given as (hits, rows).

    Pairs without a hit are left out. The intervals are simultaneous for the remaining pairs.
    """
    shares = {name: hits / rows for name, (hits, rows) in groups.items()}
    return _pairs(groups, shares, _share_ratio, level=level, correlations=correlations, kept=lambda larger: larger > 0)


def mean_gaps(
    groups: Mapping[str, Numbers], *, units: Mapping[str, Codes] | None = None, level: float = 0.95
) -> list[PairGap]:
    """Return the difference of the means of every pair of groups, which need at least two rows (and units) each.

    Welch's intervals (1947, Biometrika 34), widened by Bonferroni's correction over the pairs. `units` are those of the
    rows of each group; where they repeat, rows are added up within each unit, and a unit with rows in two groups
    correlates their means.
    """
    samples = {name: _mean_of(values, units[name] if units else None) for name, values in groups.items()}
    means = {name: mean for name, (mean, _, _) in samples.items()}
    shared = correlations_by_unit({name: (groups[name], units[name]) for name in groups}) if units else {}
    return _pairs(samples, means, _mean_gap, level=level, correlations=shared)


def ratio_interval(
    first: EffectiveTrials, second: EffectiveTrials, *, level: float = 0.95, correlation: float = 0.0
) -> tuple[float, float]:
    """Return the interval of the first share over the second, which needs a hit; each sample is (hits, rows).

    It combines Wilson's intervals of the two shares (MOVER: Donner and Zou, 2012, Statistical Methods in Medical
    Research 21).

    >>> [round(end, 3) for end in ratio_interval((48, 80), (56, 70))]
    [0.601, 0.927]
    """
    if not second[0]:
        raise ValueError(f"expected a hit in the second sample, got {second[0]} of {second[1]}")
    (low, high), (other_low, other_high) = (wilson_interval(trials, level=level) for trials in (first, second))
    share, other = first[0] / first[1], second[0] / second[1]
    below = share * other - correlation * (share - low) * (other_high - other)
    above = share * other - correlation * (high - share) * (other - other_low)
    lower, upper = low * (2 * share - low), high * (2 * share - high)
    other_lower, other_upper = other_low * (2 * other - other_low), other_high * (2 * other - other_high)
    below += math.sqrt(max(0.0, below * below - lower * other_upper))
    above += math.sqrt(max(0.0, above * above - upper * other_lower))
    return max(0.0, lower / below) if below else 0.0, above / other_lower


def _share_gap(larger: EffectiveTrials, smaller: EffectiveTrials, **how: float) -> tuple[float, float, float]:
    return larger[0] / larger[1] - smaller[0] / smaller[1], *newcombe_interval(smaller, larger, **how)


def _share_ratio(larger: EffectiveTrials, smaller: EffectiveTrials, **how: float) -> tuple[float, float, float]:
    return (smaller[0] / smaller[1]) / (larger[0] / larger[1]), *ratio_interval(smaller, larger, **how)


def _mean_of(values: Numbers, units: Codes | None) -> Mean:
    mean, codes = float(np.mean(values)), repeated_units(units)
    if codes is None:
        return mean, float(np.var(values, ddof=1)) / len(values), len(values) - 1
    variance = variance_by_unit((values - mean) / len(values), codes)
    if variance is None:
        raise ValueError(f"expected at least two units in each group, got 1 in {len(values)} rows")
    return mean, variance, int(codes.max())


def _mean_gap(larger: Mean, smaller: Mean, *, level: float, correlation: float) -> tuple[float, float, float]:
    (mean, one, own), (other, two, others) = larger, smaller
    difference = mean - other
    if one + two == 0:
        return difference, difference, difference
    degrees = (one + two) ** 2 / (one**2 / own + two**2 / others)
    variance = max(0.0, one + two - 2 * correlation * math.sqrt(one * two))
    half_width = student_quantile((1 + level) / 2, degrees) * math.sqrt(variance)
    return difference, difference - half_width, difference + half_width


def _pairs(
    groups: Mapping[str, Sample],
    values: Mapping[str, float],
    gap: Callable[..., tuple[float, float, float]],
    *,
    level: float,
    correlations: Correlations,
    kept: Callable[[float], bool] = lambda _: True,
) -> list[PairGap]:
    ranked = sorted(groups, key=lambda name: (values[name], name))
    pairs = [pair for pair in combinations(ranked, 2) if kept(values[pair[1]])]
    each = 1 - (1 - level) / max(1, len(pairs))
    return [
        PairGap(
            *gap(
                groups[larger],
                groups[smaller],
                level=each,
                correlation=correlations.get(frozenset((larger, smaller)), 0),
            ),
            larger=larger,
            smaller=smaller,
        )
        for smaller, larger in pairs
    ]
