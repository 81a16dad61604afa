"""The result of every two-arm comparison: estimate, interval, p-value."""

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

from lab.stats.core.probabilities import (
    LOG_10,
    normal_log10_p,
    normal_p_value,
    normal_quantile,
    student_log10_p,
    student_p_value,
    student_quantile,
)

Side = Literal["two-sided", "greater", "less"]
Interval = tuple[float | None, float | None]


@dataclass(frozen=True)
class Comparison:
    """Two arms; the difference is treatment minus control.

    An unbounded end of an interval is None. When no test is possible, the p-value is None (or 1 when all values of both
    arms are equal) and `reason` says why. `degrees` is None for a normal statistic, `log10_p` when it is infinite.
    """

    control: float
    treatment: float
    difference: float
    standard_error: float | None
    statistic: float | None
    degrees: float | None
    p_value: float | None
    log10_p: float | None
    low: float | None
    high: float | None
    reason: str


def compare_estimates(
    control: float,
    treatment: float,
    *,
    standard_error: float,
    degrees: float | None = None,
    null: float = 0.0,
    side: Side = "two-sided",
    level: float = 0.95,
) -> Comparison:
    """Return the comparison of two estimates whose difference has this standard error.

    A t-test when degrees are given, else a z-test. `null` is the difference under the null hypothesis; with side
    "greater" the alternative is a larger difference.
    """
    difference = treatment - control
    if not standard_error > 0:
        return undefined(control, treatment, "undefined: zero variance")
    statistic = (difference - null) / standard_error
    low, high = interval(difference, standard_error, degrees=degrees, side=side, level=level)
    return Comparison(
        control=control,
        treatment=treatment,
        difference=difference,
        standard_error=standard_error,
        statistic=statistic,
        degrees=degrees,
        p_value=p_value_of(statistic, degrees=degrees, side=side),
        log10_p=None if math.isinf(log10_p := log10_p_of(statistic, degrees=degrees, side=side)) else log10_p,
        low=low,
        high=high,
        reason="",
    )


def undefined(control: float, treatment: float, reason: str) -> Comparison:
    """Return the comparison of two arms that cannot be tested; equal values without variance have p-value 1."""
    same = 1.0 if control == treatment and "variance" in reason else None
    log10_p = None if same is None else 0.0
    return Comparison(control, treatment, treatment - control, None, None, None, same, log10_p, None, None, reason)


def interval(
    estimate: float,
    standard_error: float,
    *,
    degrees: float | None = None,
    side: Side = "two-sided",
    level: float = 0.95,
) -> Interval:
    """Return the confidence interval of an estimate; the open end of a one-sided interval is None.

    >>> [round(end or 0, 3) for end in interval(1.0, 0.5)]
    [0.02, 1.98]
    """
    share = (1 + level) / 2 if side == "two-sided" else level
    half_width = critical_value(share, degrees) * standard_error
    return None if side == "less" else estimate - half_width, None if side == "greater" else estimate + half_width


def critical_value(share: float, degrees: float | None = None) -> float:
    """Return the quantile of Student's t distribution or, without degrees, of the normal distribution."""
    return normal_quantile(share) if degrees is None else student_quantile(share, degrees)


def p_value_of(statistic: float, *, degrees: float | None = None, side: Side = "two-sided") -> float:
    """Return the p-value of a t statistic or, without degrees, of a z statistic.

    >>> round(p_value_of(1.959963984540054), 12)
    0.05
    """
    if side == "two-sided":
        return normal_p_value(statistic) if degrees is None else student_p_value(statistic, degrees)
    beyond = -statistic if side == "greater" else statistic
    return float(special.ndtr(beyond) if degrees is None else special.stdtr(degrees, beyond))


def log10_p_of(statistic: float, *, degrees: float | None = None, side: Side = "two-sided") -> float:
    """Return log10 of `p_value_of`, without underflow.

    >>> round(log10_p_of(183.9590920463876), 3)
    -7350.831
    """
    if side == "two-sided":
        return normal_log10_p(statistic) if degrees is None else student_log10_p(statistic, degrees)
    beyond = -statistic if side == "greater" else statistic
    if degrees is None:
        return float(special.log_ndtr(beyond)) / LOG_10
    if beyond > 0:
        return math.log10(float(special.stdtr(degrees, beyond)))
    return student_log10_p(statistic, degrees) - math.log10(2)
