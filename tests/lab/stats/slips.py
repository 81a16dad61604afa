"""Values of the reference file that are not right, from the tools that made it.

Where the file and exact arithmetic disagree, the adapter gives the file what its own tool says, so that comparing shows
where the difference comes from; the library's own values are held against exact arithmetic in the tests named here.

- statsmodels' score test of a difference other than 0 multiplies by the control's successes where Miettinen and
  Nurminen multiply by its size (`tmp1` in score_test_proportions_2indep): test_score_tests.
- scipy's exact tests take the columns of a table for the samples; the file gave them arms as rows, treatment first, and
  scipy's Barnard test loses tables that tie but for rounding: test_exact_tables.
- statsmodels' search for the smallest effect stops at a power of 0.80000044: test_power.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from scipy import stats
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.proportion import test_proportions_2indep as compare_with_statsmodels

from lab.stats.experiments import exact_tables, score_tests

Trials = tuple[int, int]
Value = TypeVar("Value", float, tuple[float, float])


def of_the_tool(ask: Callable[[], Value], own: Callable[[], Value]) -> Value:
    """Return what the tool says, or the library where the tool has no number (an arm with one outcome only, say)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = ask()
    except (RuntimeWarning, ValueError):
        return own()
    return found if np.isfinite(found).all() else own()


def score_test(control: Trials, treatment: Trials, *, null: float) -> tuple[float, float]:
    def ask() -> tuple[float, float]:
        found = compare_with_statsmodels(
            *treatment, *control, value=null, method="score", alternative="larger", correction=False
        )
        return float(found.statistic), float(found.pvalue)

    return of_the_tool(
        ask, lambda: score_tests.score_test(control=control, treatment=treatment, null=null, side="greater")
    )


def score_interval(control: Trials, treatment: Trials, *, level: float) -> tuple[float, float]:
    def ask() -> tuple[float, float]:
        with np.errstate(divide="ignore"):
            low, high = confint_proportions_2indep(
                *treatment, *control, method="score", compare="diff", alpha=1 - level, correction=False
            )
        return float(low), float(high)

    return of_the_tool(ask, lambda: score_tests.score_interval(control, treatment, level=level, corrected=False))


def barnard_p_value(control: Trials, treatment: Trials) -> float:
    return of_the_tool(
        lambda: float(stats.barnard_exact(_table(control, treatment)).pvalue),
        lambda: exact_tables.barnard_p_value(control, treatment),
    )


def boschloo_p_value(control: Trials, treatment: Trials) -> float:
    return of_the_tool(
        lambda: float(stats.boschloo_exact(_table(control, treatment)).pvalue),
        lambda: exact_tables.boschloo_p_value(control, treatment),
    )


def smallest_effect(*, units: float, level: float, power: float, ratio: float) -> float:
    found: Any = TTestIndPower().solve_power(None, nobs1=units, alpha=level, power=power, ratio=ratio)
    return float(found)


def _table(control: Trials, treatment: Trials) -> list[list[int]]:
    return [[hits, rows - hits] for hits, rows in (treatment, control)]
