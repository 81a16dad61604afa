"""Values of the reference file that are not right, from the tools that made it.

Where the file and exact arithmetic disagree, the adapter gives the file what its own tool says, so that comparing shows
where the difference comes from; the library's own values are held against exact arithmetic in the tests named here.

- statsmodels' score test of a difference other than 0 multiplies by the control's successes where Miettinen and
  Nurminen multiply by its size (`tmp1` in score_test_proportions_2indep): test_score_tests.
- scipy's exact tests take the columns of a table for the samples; the file gave them arms as rows, treatment first, and
  scipy's Barnard test loses tables that tie but for rounding: test_exact_tables.
- statsmodels' search for the smallest effect stops at a power of 0.80000044: test_power.
"""

from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.proportion import test_proportions_2indep as compare_with_statsmodels

Trials = tuple[int, int]


def score_test(control: Trials, treatment: Trials, *, null: float) -> tuple[float, float]:
    found = compare_with_statsmodels(
        *treatment, *control, value=null, method="score", alternative="larger", correction=False
    )
    return float(found.statistic), float(found.pvalue)


def score_interval(control: Trials, treatment: Trials, *, level: float) -> list[float]:
    with np.errstate(divide="ignore"):
        ends = confint_proportions_2indep(
            *treatment, *control, method="score", compare="diff", alpha=1 - level, correction=False
        )
    return [float(end) for end in ends]


def barnard_p_value(control: Trials, treatment: Trials) -> float:
    return float(stats.barnard_exact(_table(control, treatment)).pvalue)


def boschloo_p_value(control: Trials, treatment: Trials) -> float:
    return float(stats.boschloo_exact(_table(control, treatment)).pvalue)


def smallest_effect(*, units: float, level: float, power: float, ratio: float) -> float:
    found: Any = TTestIndPower().solve_power(None, nobs1=units, alpha=level, power=power, ratio=ratio)
    return float(found)


def _table(control: Trials, treatment: Trials) -> list[list[int]]:
    return [[hits, rows - hits] for hits, rows in (treatment, control)]
