"""Tail probabilities of the usual distributions, and their logarithms where a p-value underflows."""

import math

from scipy import special

LOG_10 = math.log(10)
SMALLEST_EXACT = 1e-290  # below this a p-value is near the end of the floats, and its logarithm is summed instead


def normal_quantile(share: float) -> float:
    """Return the point of the standard normal distribution below which the share lies."""
    return float(special.ndtri(share))


def normal_p_value(z: float) -> float:
    """Return the two-sided p-value of a standard normal statistic; it underflows to 0 beyond |z| = 38."""
    return float(2 * special.ndtr(-abs(z)))


def normal_log10_p(z: float) -> float:
    """Return log10 of the two-sided p-value of a standard normal statistic, however far out.

    >>> round(normal_log10_p(183.9590920463876), 3)
    -7350.831
    """
    return float((special.log_ndtr(-abs(z)) + math.log(2)) / LOG_10)


def student_p_value(t: float, degrees: float) -> float:
    """Return the two-sided p-value of Student's t."""
    return float(2 * special.stdtr(degrees, -abs(t)))


def student_quantile(share: float, degrees: float) -> float:
    """Return the point of Student's distribution below which the share lies."""
    return float(special.stdtrit(degrees, share))


def chi_square_p_value(statistic: float, degrees: int) -> float:
    """Return the probability of a chi-square statistic at least this large."""
    return float(special.chdtrc(degrees, statistic))


def fair_coin_share(successes: int, trials: int) -> float:
    """Return the probability of so many heads or fewer in tosses of a fair coin."""
    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    return float(special.betainc(trials - successes, successes + 1, 0.5))  # bdtr loses four digits at a million tosses


def fair_coin_p_value(successes: int, trials: int) -> float:
    """Return the exact two-sided p-value of heads in tosses of a fair coin.

    >>> fair_coin_p_value(7, 8)
    0.0703125
    """
    fewer = min(successes, trials - successes)
    return min(1.0, 2 * fair_coin_share(fewer, trials))


def fair_coin_log10_p(successes: int, trials: int) -> float:
    """Return log10 of the exact two-sided p-value, also where the p-value itself underflows.

    >>> round(fair_coin_log10_p(0, 5000) - math.log10(2) * (1 - 5000), 6)
    0.0
    """
    p_value = fair_coin_p_value(successes, trials)
    if p_value > SMALLEST_EXACT:
        return math.log10(p_value)
    fewer = min(successes, trials - successes)
    ratio, total = 1.0, 1.0
    for step in range(fewer):  # each term is the one before times a ratio below one
        ratio *= (fewer - step) / (trials - fewer + 1 + step)
        total += ratio
        if ratio < 1e-17 * total:
            break
    return (math.log(2) + _log_fair_coin(fewer, trials) + math.log(total)) / LOG_10


def _log_fair_coin(successes: int, trials: int) -> float:
    ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    return ways - trials * math.log(2)
