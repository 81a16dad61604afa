"""Tests and intervals for the difference of two proportions."""

import math
from dataclasses import dataclass

from lab.stats.core.comparison import Comparison, Side, compare_estimates, log10_p_of, p_value_of
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


def compare_by_normal_limit(*, control: Trials, treatment: Trials, level: float = 0.95) -> Comparison:
    """Return Wald's z-test of two shares with its interval; undefined when no arm has both outcomes.

    >>> round(compare_by_normal_limit(control=(487, 5000), treatment=(550, 5000)).p_value or 0, 6)
    0.038745
    """
    first, second = share_of(control, "control"), share_of(treatment, "treatment")
    error = math.sqrt(sum(hits / rows * (1 - hits / rows) / rows for hits, rows in (control, treatment)))
    return compare_estimates(first, second, standard_error=error, level=level)


def share_of(trials: Trials, arm: str) -> float:
    """Return the share of successes; invalid counts raise an error that names the arm."""
    hits, rows = trials
    if rows < 1:
        raise ValueError(f"expected at least one trial, got {rows} in {arm}")
    if not 0 <= hits <= rows:
        raise ValueError(f"expected successes between 0 and {rows}, got {hits} in {arm}")
    return hits / rows
