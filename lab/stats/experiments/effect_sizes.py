"""Standardised effect sizes with intervals: Cohen's h and d, Hedges' g."""

import math
from dataclasses import dataclass

from scipy import special

from lab.stats.core.arm_means import Summary, variance_of
from lab.stats.core.probabilities import normal_quantile
from lab.stats.experiments.roots import find_root, widen


@dataclass(frozen=True)
class StandardisedDifference:
    """Cohen's d and Hedges' g (d corrected for small samples) with their intervals."""

    d: float
    low: float
    high: float
    g: float
    g_low: float
    g_high: float


def cohen_h(control: float, treatment: float) -> float:
    """Return Cohen's h of two shares (1988): the difference of their arcsine transforms, from −π to π.

    >>> round(cohen_h(0.1, 0.12), 9)
    0.063982103
    """
    return 2 * (math.asin(math.sqrt(treatment)) - math.asin(math.sqrt(control)))


def cohen_h_interval(
    control: tuple[int, int], treatment: tuple[int, int], *, level: float = 0.95
) -> tuple[float, float, float]:
    """Return Cohen's h of two arms, given as (successes, trials), with its interval: low, h, high.

    >>> [round(value, 4) for value in cohen_h_interval((487, 5000), (550, 5000))]
    [0.0021, 0.0413, 0.0805]
    """
    h = cohen_h(control[0] / control[1], treatment[0] / treatment[1])
    half_width = normal_quantile((1 + level) / 2) * math.sqrt(1 / control[1] + 1 / treatment[1])
    return h - half_width, h, h + half_width


def standardised_difference(
    control: Summary, treatment: Summary, *, level: float = 0.95
) -> StandardisedDifference | None:
    """Return the difference of two means in pooled standard deviations; None without variance.

    The interval inverts the noncentral t distribution: Steiger and Fouladi (1997), in What If There Were No
    Significance Tests?

    >>> found = standardised_difference(Summary(50, 0.0, 1.0), Summary(50, 0.5, 1.0))
    >>> [round(value, 3) for value in (found.low, found.d, found.high, found.g)] if found else None
    [0.101, 0.5, 0.897, 0.496]
    """
    spread, degrees = pooled_spread(control, treatment), control.count + treatment.count - 2
    if not spread:
        return None
    d = (treatment.mean - control.mean) / spread
    root = math.sqrt(1 / control.count + 1 / treatment.count)
    low, high = (root * end for end in noncentrality_interval(d / root, degrees, level=level))
    factor = small_sample_factor(degrees)
    return StandardisedDifference(d, low, high, d * factor, low * factor, high * factor)


def small_sample_factor(degrees: float) -> float:
    """Return the exact factor from Cohen's d to Hedges' g.

    Hedges (1981), Journal of Educational Statistics 6.

    >>> round(small_sample_factor(24), 6)
    0.968365
    """
    return math.exp(float(special.gammaln(degrees / 2) - special.gammaln((degrees - 1) / 2))) / math.sqrt(degrees / 2)


def pooled_spread(control: Summary, treatment: Summary) -> float | None:
    """Return the pooled standard deviation of both arms; None when no arm has two units."""
    degrees = control.count + treatment.count - 2
    if degrees < 1:
        return None
    squares = sum(variance_of(arm) * (arm.count - 1) for arm in (control, treatment))
    return math.sqrt(squares / degrees)


def noncentrality_interval(t: float, degrees: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of the noncentrality parameter of a t statistic."""
    ends = []
    for share in ((1 + level) / 2, (1 - level) / 2):
        if degrees > 1e6 or abs(t) > 37:  # normal approximation; the noncentral t cannot be computed here
            ends.append(t - normal_quantile(share) * math.hypot(1.0, t / math.sqrt(2 * degrees)))
            continue

        def miss(shift: float, share: float = share) -> float:
            return float(special.nctdtr(degrees, t + shift, t)) - share

        high = widen(miss, -40.0, 1.0) if miss(-40.0) > 0 else 40.0
        ends.append(t + find_root(miss, -40.0, high))
    return ends[0], ends[1]
