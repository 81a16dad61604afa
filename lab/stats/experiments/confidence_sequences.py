"""Confidence sequences: intervals valid at any number of looks (anytime-valid).

The mixture behind them: Howard, Ramdas, McAuliffe and Sekhon (2021), Annals of Statistics 49.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lab.stats.core.probabilities import normal_p_value
from lab.stats.experiments.crossing import check_information, crossing_probabilities
from lab.stats.experiments.group_sequential import Bounds


@dataclass(frozen=True)
class AnytimeComparison:
    """A difference with an anytime-valid interval and p-value."""

    difference: float
    standard_error: float
    p_value: float
    low: float
    high: float
    rho: float


def anytime_comparison(
    difference: float, standard_error: float, units: float, *, tuned_to: float, level: float = 0.95
) -> AnytimeComparison:
    """Return the asymptotic confidence sequence of a difference estimated from `units` units in total.

    It is narrowest near `tuned_to` units, which must be fixed beforehand. It is for averages: the first look needs some
    hundred units. Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52.

    >>> found = anytime_comparison(0.0126, 0.006096117452936745, 10_000, tuned_to=5000)
    >>> round(found.low, 6), round(found.p_value, 6)
    (-0.006063, 0.550692)
    """
    if units < 1 or not standard_error > 0 or not tuned_to > 0:
        raise ValueError(
            f"expected units, standard error and tuned_to above 0, got {units}, {standard_error}, {tuned_to}"
        )
    error_rate = 1 - level
    rho = math.sqrt(1 / mixing_variance(tuned_to, error_rate))
    growth = units * rho**2
    cost = math.log(math.sqrt(growth + 1) / error_rate)
    half_width = standard_error * math.sqrt(2 * (growth + 1) / growth * cost)
    z = difference / standard_error
    gain = growth * z * z / (2 * (growth + 1)) - math.log(growth + 1) / 2
    return AnytimeComparison(
        difference=difference,
        standard_error=standard_error,
        p_value=math.exp(min(0.0, -gain)),
        low=difference - half_width,
        high=difference + half_width,
        rho=rho,
    )


def mixing_variance(v_best: float, level: float) -> float:
    """Return the mixing parameter that makes the bound nearly narrowest at variance v_best.

    >>> round(mixing_variance(100.0, 0.05), 6)
    12.600561
    """
    if not v_best > 0 or not 0 < level < 1:
        raise ValueError(f"expected a variance above 0 and a level between 0 and 1, got {v_best} and {level}")
    cost = -2 * math.log(level)
    return v_best / (cost + math.log1p(cost))


def anytime_bounds(information: Sequence[float], *, tuned_to: float = 1.0, level: float = 0.05) -> Bounds:
    """Return the confidence sequence as bounds for |z| at looks, to compute its power.

    `tuned_to` is the share of information at which it is narrowest. The looks spend less than the level, which covers
    all times.

    >>> [round(bound or 0, 3) for bound in anytime_bounds([0.5, 1.0]).z]
    [3.084, 3.035]
    """
    shares = check_information(information)
    growths = [share / mixing_variance(tuned_to, level) for share in shares]
    z = [math.sqrt(2 * (growth + 1) / growth * math.log(math.sqrt(growth + 1) / level)) for growth in growths]
    crossings = crossing_probabilities(z, shares)
    spent = tuple(math.fsum(crossings[: look + 1]) for look in range(len(z)))
    return Bounds(tuple(shares), tuple(z), tuple(normal_p_value(bound) for bound in z), spent)
