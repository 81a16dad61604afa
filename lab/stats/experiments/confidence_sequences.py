"""Confidence sequences: intervals valid at any number of looks (anytime-valid)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from lab.stats.core.comparison import Side
from lab.stats.core.probabilities import normal_p_value
from lab.stats.core.proportions import Trials
from lab.stats.experiments.crossing import check_information, crossing_probabilities
from lab.stats.experiments.group_sequential import Bounds
from lab.stats.experiments.mixtures import mixing_variance
from lab.stats.experiments.roots import find_root
from lab.stats.experiments.two_proportions import share_of

CLOSEST = 1e-15


@dataclass(frozen=True)
class AnytimeComparison:
    """A difference with an anytime-valid interval and p-value; an open end is None."""

    difference: float
    standard_error: float
    p_value: float
    low: float | None
    high: float | None
    rho: float


def anytime_comparison(
    difference: float,
    standard_error: float,
    units: float,
    *,
    tuned_to: float,
    side: Side = "two-sided",
    level: float = 0.95,
) -> AnytimeComparison:
    """Return the asymptotic confidence sequence of a difference estimated from `units` units in total.

    It is narrowest near `tuned_to` units, which must be fixed beforehand. It is for averages: the first look needs some
    hundred units. Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52.

    >>> found = anytime_comparison(0.0126, 0.006096117452936745, 10_000, tuned_to=5000)
    >>> round(found.low or 0, 6), round(found.p_value, 6)
    (-0.006063, 0.550692)
    """
    if units < 1 or not standard_error > 0 or not tuned_to > 0:
        raise ValueError(
            f"expected units, standard error and tuned_to above 0, got {units}, {standard_error}, {tuned_to}"
        )
    error_rate = 1 - level
    # A one-sided sequence is tuned for twice the level.
    rho = math.sqrt(1 / mixing_variance(tuned_to, error_rate, one_sided=side != "two-sided"))
    growth = units * rho**2
    if side == "two-sided":
        cost = math.log(math.sqrt(growth + 1) / error_rate)
    else:
        cost = math.log(1 + math.sqrt(growth + 1) / (2 * error_rate))
    half_width = standard_error * math.sqrt(2 * (growth + 1) / growth * cost)
    z = difference / standard_error
    gain = growth * z * z / (2 * (growth + 1)) - math.log(growth + 1) / 2
    if side != "two-sided":
        beyond = (z if side == "greater" else -z) * math.sqrt(growth / (growth + 1))
        gain += math.log(2) + float(special.log_ndtr(beyond))
    return AnytimeComparison(
        difference=difference,
        standard_error=standard_error,
        p_value=math.exp(min(0.0, -gain)),
        low=None if side == "less" else difference - half_width,
        high=None if side == "greater" else difference + half_width,
        rho=rho,
    )


def anytime_share(
    trials: Trials, *, tuned_to: float, level: float = 0.95, tuned_level: float = 0.95
) -> tuple[float, float]:
    """Return the exact confidence sequence of one share, given as (successes, trials).

    A beta mixture of binomial likelihood ratios around each candidate share: Howard, Ramdas, McAuliffe and Sekhon
    (2021), Annals of Statistics 49, proposition 7.

    >>> [round(end, 6) for end in anytime_share((60, 100), tuned_to=100)]
    [0.448369, 0.740965]
    """
    observed, error_rate = share_of(trials, "the sample"), 1 - level

    def lack(share: float) -> float:
        return _log_beta_mixture(trials, share, tuned_to, 1 - tuned_level) + math.log(error_rate)

    low = find_root(lack, CLOSEST, observed) if observed > 0 and lack(CLOSEST) > 0 else 0.0
    high = find_root(lack, observed, 1 - CLOSEST) if observed < 1 and lack(1 - CLOSEST) > 0 else 1.0
    return low, high


def _log_beta_mixture(trials: Trials, share: float, tuned_to: float, level: float) -> float:
    """Return the log ratio of the likelihood mixed over shares around this one to the likelihood of this one."""
    (hits, rows), variance = trials, share * (1 - share)
    if variance == 0:
        return math.inf if 0 < hits < rows else -math.inf
    spread = max(mixing_variance(variance * tuned_to, level) - variance, 1e-3 * variance)
    a, b = spread / (1 - share), spread / share
    mixed = float(special.betaln(a + hits, b + rows - hits) - special.betaln(a, b))
    return mixed - hits * math.log(share) - (rows - hits) * math.log1p(-share)


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
