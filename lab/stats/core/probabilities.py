"""P-values and quantiles of common distributions, with log10 p-values that never underflow."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

LOG_10 = math.log(10)
LARGEST_SUMMED = 1e6  # degrees of freedom; beyond, the normal tail gives the same digits as Student's
SMALLEST_EXACT = 1e-290  # below this a p-value is close to underflow, and its logarithm is summed instead


def normal_quantile(share: float) -> float:
    """Return the quantile of the standard normal distribution."""
    return float(special.ndtri(share))


def normal_p_value(z: float) -> float:
    """Return the two-sided p-value of a standard normal statistic; it underflows to 0 beyond |z| = 38."""
    return float(2 * special.ndtr(-abs(z)))


def normal_log10_p(z: float) -> float:
    """Return log10 of the two-sided p-value of a standard normal statistic, without underflow.

    >>> round(normal_log10_p(183.9590920463876), 3)
    -7350.831
    """
    return float((special.log_ndtr(-abs(z)) + math.log(2)) / LOG_10)


def student_p_value(t: float, degrees: float) -> float:
    """Return the two-sided p-value of Student's t."""
    return float(2 * special.stdtr(degrees, -abs(t)))


def student_log10_p(t: float, degrees: float) -> float:
    """Return log10 of the two-sided p-value of Student's t, without underflow.

    Tiny p-values come from the series of the incomplete beta function (Abramowitz and Stegun, 26.5.4), or from
    Wallace's normal approximation (1959) for more than a million degrees of freedom.

    >>> round(student_log10_p(3.0, 10), 6) == round(math.log10(student_p_value(3.0, 10)), 6)
    True
    """
    p_value = student_p_value(t, degrees)
    if p_value > SMALLEST_EXACT:
        return math.log10(p_value)
    size = abs(t)
    growth = math.log1p((t / degrees) * t) if size < 1e100 else 2 * math.log(size) - math.log(degrees)
    if degrees > LARGEST_SUMMED:
        return normal_log10_p(math.sqrt((degrees - 2 / 3) * growth))
    a, log_x = degrees / 2, -growth
    log_rest = -math.log1p((degrees / t) / t)
    front = a * log_x + log_rest / 2 - math.log(a) - float(special.betaln(a, 0.5))
    return (front + math.log(_beta_series(a, math.exp(log_x)))) / LOG_10


def student_quantile(share: float, degrees: float) -> float:
    """Return the quantile of Student's t distribution."""
    return float(special.stdtrit(degrees, share))


def chi_square_p_value(statistic: float, degrees: int) -> float:
    """Return the probability of a chi-square statistic at least this large."""
    return float(special.chdtrc(degrees, statistic))


def chi_square_log10_p(statistic: float, degrees: int) -> float:
    """Return log10 of the probability of a chi-square statistic at least this large, without underflow.

    Tiny ones come from Legendre's continued fraction of the incomplete gamma function (Abramowitz and Stegun, 6.5.31).

    >>> round(chi_square_log10_p(33840.94754653131, 1), 6)
    -7350.831185
    """
    p_value = chi_square_p_value(statistic, degrees)
    if p_value > SMALLEST_EXACT:
        return math.log10(p_value)
    a, x = degrees / 2, statistic / 2
    fraction = 0.0
    for step in range(200, 0, -1):
        fraction = step * (step - a) / (x + 2 * step + 1 - a - fraction)
    return (a * math.log(x) - x - math.lgamma(a) - math.log(x + 1 - a - fraction)) / LOG_10


def f_p_value(ratio: float, degrees: tuple[float, float]) -> float:
    """Return the probability of an F statistic at least this large, for (numerator, denominator) degrees of freedom."""
    return float(special.fdtrc(*degrees, ratio))


def binomial_half_cdf(successes: int, trials: int) -> float:
    """Return the probability of at most this many successes when each has probability ½."""
    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    return float(special.betainc(trials - successes, successes + 1, 0.5))  # bdtr loses four digits at a million tosses


def binomial_half_p_value(successes: int, trials: int) -> float:
    """Return the exact two-sided binomial p-value for a probability of ½ (the sign test).

    >>> binomial_half_p_value(7, 8)
    0.0703125
    """
    fewer = min(successes, trials - successes)
    return min(1.0, 2 * binomial_half_cdf(fewer, trials))


def binomial_half_log10_p(successes: int, trials: int) -> float:
    """Return log10 of `binomial_half_p_value`, without underflow.

    >>> round(binomial_half_log10_p(0, 5000) - math.log10(2) * (1 - 5000), 6)
    0.0
    """
    p_value = binomial_half_p_value(successes, trials)
    if p_value > SMALLEST_EXACT:
        return math.log10(p_value)
    fewer = min(successes, trials - successes)
    ratio, total = 1.0, 1.0
    for step in range(fewer):  # each term is the previous one times a ratio below one
        ratio *= (fewer - step) / (trials - fewer + 1 + step)
        total += ratio
        if ratio < 1e-17 * total:
            break
    log_ways = math.lgamma(trials + 1) - math.lgamma(fewer + 1) - math.lgamma(trials - fewer + 1)
    return (math.log(2) + (log_ways - trials * math.log(2)) + math.log(total)) / LOG_10


def log_choose(total: ArrayLike, chosen: ArrayLike) -> NDArray[np.float64]:
    """Return the logarithm of the number of ways to choose some of a total.

    >>> round(float(log_choose(5, 2)), 6)
    2.302585
    """
    total, chosen = np.asarray(total, dtype=np.float64), np.asarray(chosen, dtype=np.float64)
    ways: NDArray[np.float64] = (
        special.gammaln(total + 1) - special.gammaln(chosen + 1) - special.gammaln(total - chosen + 1)
    )
    return ways


def _beta_series(a: float, x: float) -> float:
    """Return the hypergeometric series F(a + 1/2, 1; a + 1; x)."""
    term, total, step = 1.0, 1.0, 0
    while term > 1e-17 * total:
        term *= x * (a + 0.5 + step) / (a + 1 + step)
        total += term
        step += 1
    return total
