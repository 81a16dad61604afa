"""Relative lift of treatment over control: delta method and log ratio."""

import math

from lab.stats.core.arm_means import Reference, Spread, Summary, variance_of, welch_degrees
from lab.stats.core.comparison import Comparison, Side, compare_estimates, interval, undefined
from lab.stats.core.proportions import Trials
from lab.stats.experiments.two_proportions import share_of

LARGEST_LOGARITHM = 700.0
NO_BASE = "undefined: the control value is 0, so there is no lift"


def relative_lift(control: Summary, treatment: Summary, *, side: Side = "two-sided", level: float = 0.95) -> Comparison:
    """Return (treatment − control) / |control| by the delta method, with Welch's degrees of the absolute difference.

    For large samples; in small ones the ratio is skewed: use `lift_by_log_ratio`. The standard error includes the
    variance of the control mean. In the result `control` is 0 and `treatment` the lift.

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
    return lift_by_delta_method(
        (control.mean, treatment.mean),
        parts,
        degrees=welch_degrees(parts, (control.count, treatment.count)),
        side=side,
        level=level,
    )


def lift_by_delta_method(
    estimates: tuple[float, float],
    variances: tuple[float, float],
    *,
    base: float | None = None,
    degrees: float | None = None,
    side: Side = "two-sided",
    level: float = 0.95,
) -> Comparison:
    """Return the lift of two independent estimates, control first, from their variances.

    `base` replaces the control estimate as denominator, for example by an unadjusted mean.
    """
    control, treatment = estimates
    denominator = control if base is None else base
    if denominator == 0:
        return undefined(0.0, 0.0, NO_BASE)
    error = math.sqrt(variances[1] + variances[0] * (treatment / denominator) ** 2) / abs(denominator)
    lift = (treatment - control) / abs(denominator)
    return compare_estimates(0.0, lift, standard_error=error, degrees=degrees, side=side, level=level)


def lift_by_log_ratio(
    control: Summary,
    treatment: Summary,
    *,
    spread: Spread = "welch",
    reference: Reference = "student",
    side: Side = "two-sided",
    level: float = 0.95,
) -> Comparison:
    """Return the lift with an interval that is symmetric on the log scale; both means must be above 0.

    The p-value tests a ratio of 1.

    >>> found = lift_by_log_ratio(Summary(12, 12.34, 0.31), Summary(14, 12.59, 0.31))
    >>> [round(value or 0, 4) for value in (found.low, found.difference, found.high)]
    [-0.0162, 0.0203, 0.058]
    """
    if min(control.mean, treatment.mean) <= 0:
        return undefined(0.0, 0.0, "undefined: a ratio of means needs both above 0")
    ratio = treatment.mean / control.mean
    if control.variance is None or treatment.variance is None or min(control.count, treatment.count) < 2:
        return undefined(0.0, ratio - 1, "undefined: one unit in an arm, its variance is unknown")
    counts = control.count, treatment.count
    scaled = variance_of(control) / control.mean**2, variance_of(treatment) / treatment.mean**2
    if sum(scaled) == 0:
        return undefined(0.0, ratio - 1, "undefined: zero variance")
    if spread == "pooled":
        degrees = float(sum(counts) - 2)
        pooled = (scaled[0] * (counts[0] - 1) + scaled[1] * (counts[1] - 1)) / degrees
        scaled = pooled, pooled
    parts = scaled[0] / counts[0], scaled[1] / counts[1]
    degrees = float(sum(counts) - 2) if spread == "pooled" else welch_degrees(parts, counts)
    return _from_log(ratio, math.sqrt(sum(parts)), degrees if reference == "student" else None, side, level)


def lift_of_proportions(
    *,
    control: Trials,
    treatment: Trials,
    pooled: bool = False,
    corrected: bool = False,
    side: Side = "two-sided",
    level: float = 0.95,
) -> Comparison:
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
    if pooled:
        share = (control[0] + treatment[0]) / (control[1] + treatment[1])
        error = math.sqrt((1 - share) / share * (1 / control[1] + 1 / treatment[1]))
    else:
        error = math.sqrt((1 - first) / control[0] + (1 - second) / treatment[0])
    if error == 0:
        return undefined(0.0, 0.0, "undefined: zero variance")
    step = (1 / control[1] + 1 / treatment[1]) / (2 * first) if corrected else 0.0
    return _from_log(second / first, error, None, side, level, step=step)


def _lift_of_log_ratio(log_ratio: float) -> float | None:
    """Return the lift of a ratio given by its logarithm; None when it overflows."""
    return math.expm1(log_ratio) if log_ratio < LARGEST_LOGARITHM else None


def _from_log(
    ratio: float, error: float, degrees: float | None, side: Side, level: float, *, step: float = 0.0
) -> Comparison:
    answer = compare_estimates(0.0, math.log(ratio), standard_error=error, degrees=degrees, side=side, level=level)
    low, high = interval(math.log(ratio), error, degrees=degrees, side=side, level=level)
    return Comparison(
        control=0.0,
        treatment=ratio - 1,
        difference=ratio - 1,
        standard_error=error * ratio,
        statistic=answer.statistic,
        degrees=degrees,
        p_value=answer.p_value,
        log10_p=answer.log10_p,
        low=None if low is None else _lift_of_log_ratio(low - step),
        high=None if high is None else _lift_of_log_ratio(high + step),
        reason="",
    )
