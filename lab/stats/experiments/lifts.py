"""Relative lift of treatment over control: delta method and log ratio."""

import math
from dataclasses import replace

from lab.stats.core.arm_means import Summary, variance_of, welch_degrees
from lab.stats.core.comparison import Comparison, compare_estimates, undefined
from lab.stats.core.proportions import Trials
from lab.stats.experiments.two_proportions import share_of

LARGEST_LOGARITHM = 700.0
NO_BASE = "undefined: the control value is 0, so there is no lift"


def relative_lift(control: Summary, treatment: Summary, *, level: float = 0.95) -> Comparison:
    """Return (treatment − control) / |control| by the delta method, with Welch's degrees of the absolute difference.

    For large samples; in small ones the ratio is skewed. The standard error includes the variance of the control mean.
    In the result `control` is 0 and `treatment` the lift.

    >>> found = relative_lift(Summary(5000, 0.0974, 0.0879), Summary(5000, 0.11, 0.0979))
    >>> round(found.difference, 4), round(found.standard_error or 0, 4)
    (0.1294, 0.0665)
    """
    if control.mean == 0:
        return undefined(0.0, 0.0, NO_BASE)
    lift = (treatment.mean - control.mean) / abs(control.mean)
    if control.variance is None or treatment.variance is None or min(control.count, treatment.count) < 2:
        return undefined(0.0, lift, "undefined: one unit in an arm, its variance is unknown")
    parts = variance_of(control) / control.count, variance_of(treatment) / treatment.count
    if sum(parts) == 0:
        return undefined(0.0, lift, "undefined: zero variance")
    error = math.sqrt(parts[1] + parts[0] * (treatment.mean / control.mean) ** 2) / abs(control.mean)
    degrees = welch_degrees(parts, (control.count, treatment.count))
    return compare_estimates(0.0, lift, standard_error=error, degrees=degrees, level=level)


def lift_of_proportions(*, control: Trials, treatment: Trials, level: float = 0.95) -> Comparison:
    """Return the lift of two shares, given as (successes, trials), by their log ratio.

    Katz, Baptista, Azen and Pike (1978), Biometrics 34. Undefined, never 0, for an arm without a success.

    >>> found = lift_of_proportions(control=(487, 5000), treatment=(550, 5000))
    >>> [round(value or 0, 6) for value in (found.low, found.difference, found.high)]
    [0.006192, 0.129363, 0.267613]
    """
    first, second = share_of(control, "control"), share_of(treatment, "treatment")
    if first == 0:
        return undefined(0.0, 0.0, "undefined: no success in the control arm")
    if second == 0:
        return undefined(0.0, -1.0, "undefined: no success in the treatment arm")
    error = math.sqrt((1 - first) / control[0] + (1 - second) / treatment[0])
    if error == 0:
        return undefined(0.0, 0.0, "undefined: zero variance")
    ratio = second / first
    log_ratio = compare_estimates(0.0, math.log(ratio), standard_error=error, level=level)
    return replace(
        log_ratio,
        treatment=ratio - 1,
        difference=ratio - 1,
        standard_error=error * ratio,
        low=_lift_of_log_ratio(log_ratio.low),
        high=_lift_of_log_ratio(log_ratio.high),
    )


def _lift_of_log_ratio(log_ratio: float | None) -> float | None:
    """Return the lift of a ratio given by its logarithm; None when it overflows."""
    return None if log_ratio is None or log_ratio >= LARGEST_LOGARITHM else math.expm1(log_ratio)
