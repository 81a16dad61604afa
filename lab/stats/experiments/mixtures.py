"""Anytime-valid bounds by mixtures of likelihood ratios.

`s` is a sum of observations with mean 0 when there is no effect, `v` its variance so far. Robbins (1970); Howard,
Ramdas, McAuliffe and Sekhon (2021), Annals of Statistics 49.
"""

import math

from scipy import special

from lab.stats.experiments.roots import find_root, widen

STITCHING_POWER, STITCHING_RATIO = 1.4, 2.0


def mixing_variance(v_best: float, level: float, *, one_sided: bool = False) -> float:
    """Return the mixing parameter that makes the bound nearly narrowest at variance v_best.

    >>> round(mixing_variance(100.0, 0.05), 6)
    12.600561
    """
    if not v_best > 0 or not 0 < level < 1:
        raise ValueError(f"expected a variance above 0 and a level between 0 and 1, got {v_best} and {level}")
    cost = -2 * math.log(2 * level if one_sided else level)
    if cost <= 0:
        raise ValueError(f"expected a one-sided level below ½, got {level}")
    return v_best / (cost + math.log1p(cost))


def log_mixture(s: float, v: float, *, rho: float, one_sided: bool = False) -> float:
    """Return the logarithm of the mixture of likelihood ratios, a martingale when there is no effect.

    >>> round(log_mixture(30.0, 100.0, rho=mixing_variance(100.0, 0.05)), 6)
    2.901375
    """
    spread = v + rho
    gain = math.log(rho / spread) / 2 + s * s / (2 * spread)
    return gain + math.log(2) + float(special.log_ndtr(s / math.sqrt(spread))) if one_sided else gain


def mixture_bound(v: float, level: float, *, rho: float, one_sided: bool = False) -> float:
    """Return the bound that |s| (or s, one-sided) ever exceeds with probability at most `level`.

    >>> round(mixture_bound(100.0, 0.05, rho=mixing_variance(100.0, 0.05)), 6)
    30.35209
    """
    if not one_sided:
        return math.sqrt((v + rho) * (math.log1p(v / rho) - 2 * math.log(level)))

    def lack(s: float) -> float:
        return log_mixture(s, v, rho=rho, one_sided=True) + math.log(level)

    return find_root(lack, 0.0, widen(lack, 0.0, math.sqrt(v + rho)))


def stitched_bound(v: float, level: float, *, v_start: float) -> float:
    """Return the one-sided polynomial stitched bound, of order √(v log log v), valid from variance v_start on.

    >>> round(stitched_bound(100.0, 0.05, v_start=100.0), 6)
    29.169
    """
    ratio, power = STITCHING_RATIO, STITCHING_POWER
    factor = (ratio**0.25 + ratio**-0.25) / math.sqrt(2)
    used = max(v, v_start)
    constant = math.log(float(special.zeta(power)) / math.log(ratio) ** power) - math.log(level)
    return float(factor * math.sqrt(used * (power * math.log(math.log(ratio * used / v_start)) + constant)))
