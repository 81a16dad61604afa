"""Intervals for one share, given as (successes, trials): the usual ones, by name."""

import math

from scipy import special

from lab.stats.core.probabilities import normal_quantile
from lab.stats.core.proportions import Trials
from lab.stats.experiments.two_proportions import share_of

Ends = tuple[float, float]


def wald_share_interval(trials: Trials, *, level: float = 0.95) -> Ends:
    """Return the normal interval, which has no width at 0 or all successes: do not report it there.

    >>> wald_share_interval((25, 25))
    (1.0, 1.0)
    """
    share = share_of(trials, "the sample")
    reach = normal_quantile((1 + level) / 2) * math.sqrt(share * (1 - share) / trials[1])
    return max(0.0, share - reach), min(1.0, share + reach)


def agresti_coull_interval(trials: Trials, *, level: float = 0.95) -> Ends:
    """Return Agresti and Coull's interval (1998, American Statistician 52): Wald's after adding z²/2 of either outcome.

    >>> [round(end, 6) for end in agresti_coull_interval((37, 120))]
    [0.232518, 0.39604]
    """
    share_of(trials, "the sample")
    z = normal_quantile((1 + level) / 2)
    rows = trials[1] + z * z
    share = (trials[0] + z * z / 2) / rows
    reach = z * math.sqrt(share * (1 - share) / rows)
    return max(0.0, share - reach), min(1.0, share + reach)


def clopper_pearson_interval(trials: Trials, *, level: float = 0.95) -> Ends:
    """Return the exact interval (1934, Biometrika 26), which never promises too much.

    >>> [round(end, 6) for end in clopper_pearson_interval((25, 25))]
    [0.862815, 1.0]
    """
    share_of(trials, "the sample")
    (hits, rows), half = trials, (1 - level) / 2
    low = float(special.betaincinv(hits, rows - hits + 1, half)) if hits else 0.0
    high = float(special.betainccinv(hits + 1, rows - hits, half)) if hits < rows else 1.0
    return low, high


def jeffreys_interval(trials: Trials, *, level: float = 0.95) -> Ends:
    """Return the credible interval under Jeffreys' prior, Beta(½, ½).

    >>> [round(end, 6) for end in jeffreys_interval((37, 120))]
    [0.231016, 0.39477]
    """
    share_of(trials, "the sample")
    (hits, rows), half = trials, (1 - level) / 2
    ends = (
        special.betaincinv(hits + 0.5, rows - hits + 0.5, half),
        special.betainccinv(hits + 0.5, rows - hits + 0.5, half),
    )
    return float(ends[0]), float(ends[1])
