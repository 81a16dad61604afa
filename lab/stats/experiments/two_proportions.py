"""Tests and intervals for the difference of two proportions."""

import math
from dataclasses import dataclass

from lab.stats.core.comparison import Comparison, Side, compare_estimates, interval, log10_p_of, p_value_of, undefined
from lab.stats.core.probabilities import chi_square_p_value, normal_quantile
from lab.stats.core.proportions import Trials, newcombe_interval
from lab.stats.experiments.effect_sizes import cohen_h

SAME_OUTCOME = "all units of both arms have the same outcome"


@dataclass(frozen=True)
class ProportionTest:
    """Two shares; the difference is treatment minus control, `effect` is Cohen's h.

    The p-value is from the pooled z-test and the interval is Newcombe's, so they may disagree slightly. An open end of
    a one-sided interval is None.
    """

    control: float
    treatment: float
    difference: float
    z: float
    p_value: float
    log10_p: float
    low: float | None
    high: float | None
    effect: float
    reason: str


def compare_proportions(
    *, control: Trials, treatment: Trials, side: Side = "two-sided", level: float = 0.95
) -> ProportionTest:
    """Return the pooled z-test of two shares, each given as (successes, trials), with Newcombe's interval.

    The p-value is 1 when all units have the same outcome. The square of z is Pearson's chi-square.

    >>> round(compare_proportions(control=(487, 5000), treatment=(550, 5000)).p_value, 6)
    0.038786
    """
    first, second = share_of(control, "control"), share_of(treatment, "treatment")
    pooled = (control[0] + treatment[0]) / (control[1] + treatment[1])
    error = math.sqrt(pooled * (1 - pooled) * (1 / control[1] + 1 / treatment[1]))
    z = (second - first) / error if error else 0.0
    low, high = newcombe_interval(control, treatment, level=level if side == "two-sided" else 2 * level - 1)
    return ProportionTest(
        control=first,
        treatment=second,
        difference=second - first,
        z=z,
        p_value=p_value_of(z, side=side) if error else 1.0,
        log10_p=log10_p_of(z, side=side) if error else 0.0,
        low=None if side == "less" else low,
        high=None if side == "greater" else high,
        effect=cohen_h(first, second),
        reason="" if error else SAME_OUTCOME,
    )


def compare_by_normal_limit(
    *,
    control: Trials,
    treatment: Trials,
    pooled: bool = False,
    corrected: bool = False,
    side: Side = "two-sided",
    level: float = 0.95,
) -> Comparison:
    """Return the z-test of two shares with an interval from the same standard error, Wald's or pooled.

    Optionally with continuity correction. Undefined when no arm has both outcomes.

    >>> round(compare_by_normal_limit(control=(487, 5000), treatment=(550, 5000)).p_value or 0, 6)
    0.038745
    """
    first, second = share_of(control, "control"), share_of(treatment, "treatment")
    error = _pooled_error(control, treatment) if pooled else _wald_error(control, treatment)
    if error == 0:
        return undefined(first, second, "undefined: zero variance")
    step = (1 / control[1] + 1 / treatment[1]) / 2 if corrected else 0.0
    distance = second - first
    shrunk = math.copysign(max(abs(distance) - step, 0.0), distance)
    low, high = interval(distance, error, side=side, level=level)
    return Comparison(
        control=first,
        treatment=second,
        difference=distance,
        standard_error=error,
        statistic=shrunk / error,
        degrees=None,
        p_value=p_value_of(shrunk / error, side=side),
        log10_p=log10_p_of(shrunk / error, side=side),
        low=None if low is None else low - step,
        high=None if high is None else high + step,
        reason="",
    )


def compare_with_added_counts(
    *, control: Trials, treatment: Trials, side: Side = "two-sided", level: float = 0.95
) -> Comparison:
    """Return Agresti and Caffo's z-test (2000, American Statistician 54): one success and one failure added per arm.

    The shares and the difference include the added counts.

    >>> round(compare_with_added_counts(control=(0, 100), treatment=(8, 100)).p_value or 0, 6)
    0.008338
    """
    share_of(control, "control"), share_of(treatment, "treatment")
    (hits, rows), (other_hits, other_rows) = ((arm[0] + 1, arm[1] + 2) for arm in (control, treatment))
    error = _wald_error((hits, rows), (other_hits, other_rows))
    return compare_estimates(hits / rows, other_hits / other_rows, standard_error=error, side=side, level=level)


def wald_interval(control: Trials, treatment: Trials, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wald's interval of the difference; its width is 0 when no arm has both outcomes.

    >>> wald_interval((10, 10), (0, 10))
    (-1.0, -1.0)
    """
    difference = share_of(treatment, "treatment") - share_of(control, "control")
    half_width = normal_quantile((1 + level) / 2) * _wald_error(control, treatment)
    return difference - half_width, difference + half_width


def chi_square_of(control: Trials, treatment: Trials, *, corrected: bool = False) -> tuple[float, float] | None:
    """Return Pearson's chi-square and its p-value, optionally with Yates' correction; None with only one outcome.

    >>> round((chi_square_of((487, 5000), (550, 5000)) or (0, 0))[0], 6)
    4.270207
    """
    share_of(control, "control"), share_of(treatment, "treatment")
    hits, rows = control[0] + treatment[0], control[1] + treatment[1]
    if hits in (0, rows):
        return None
    apart = abs(control[0] - control[1] * hits / rows)  # the same in all four cells
    apart -= min(0.5, apart) if corrected else 0.0
    statistic = apart**2 * rows**3 / (control[1] * treatment[1] * hits * (rows - hits))
    return statistic, chi_square_p_value(statistic, 1)


def likelihood_ratio_of(control: Trials, treatment: Trials) -> tuple[float, float] | None:
    """Return the likelihood ratio statistic G and its p-value; None with only one outcome.

    >>> round((likelihood_ratio_of((487, 5000), (550, 5000)) or (0, 0))[0], 6)
    4.272569
    """
    share_of(control, "control"), share_of(treatment, "treatment")
    hits, rows = control[0] + treatment[0], control[1] + treatment[1]
    if hits in (0, rows):
        return None
    cells = [(arm[0], arm[1] * hits / rows) for arm in (control, treatment)]
    cells += [(arm[1] - arm[0], arm[1] * (rows - hits) / rows) for arm in (control, treatment)]
    statistic = 2 * sum(seen * math.log(seen / expected) for seen, expected in cells if seen)
    return statistic, chi_square_p_value(max(0.0, statistic), 1)


def share_of(trials: Trials, arm: str) -> float:
    """Return the share of successes; invalid counts raise an error that names the arm."""
    hits, rows = trials
    if rows < 1:
        raise ValueError(f"expected at least one trial, got {rows} in {arm}")
    if not 0 <= hits <= rows:
        raise ValueError(f"expected successes between 0 and {rows}, got {hits} in {arm}")
    return hits / rows


def _pooled_error(control: Trials, treatment: Trials) -> float:
    pooled = (control[0] + treatment[0]) / (control[1] + treatment[1])
    return math.sqrt(pooled * (1 - pooled) * (1 / control[1] + 1 / treatment[1]))


def _wald_error(control: Trials, treatment: Trials) -> float:
    return math.sqrt(sum(hits / rows * (1 - hits / rows) / rows for hits, rows in (control, treatment)))
