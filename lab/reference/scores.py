"""Measure the drift of a model's scores, also on the log-odds scale."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.reference.columns import Verdict, short
from lab.reference.facts import Mean, ModelFacts
from lab.stats.core.arm_means import Summary, compare_arm_means
from lab.stats.core.contingency import compare_shares
from lab.stats.core.log_odds import log_odds
from lab.stats.shift.dependence import Inflation, joint_inflation
from lab.stats.shift.distributions import Distribution
from lab.stats.shift.shifts import Shift, measure_against

Numbers = NDArray[np.float64]


def measure_scores(reference: Distribution, current: Numbers, *, inflation: Inflation) -> Shift:
    """Return the shift of the scores, with their distance on the log-odds scale as an additional size.

    The tests use ranks, which log-odds do not change: only distances differ.
    """
    shift = measure_against(reference, 0, current, inflation=inflation)
    there = replace(reference, values=log_odds(reference.values), spread=_spread_of_log_odds(reference))
    on_log_odds = measure_against(there, 0, log_odds(current))
    if "wasserstein" not in on_log_odds.sizes:
        return shift
    return replace(shift, sizes=shift.sizes | {"wasserstein_log_odds": on_log_odds.sizes["wasserstein"]})


def mean_of(values: Numbers) -> Mean:
    """Return mean, variance and number of values."""
    if len(values) == 0:
        return Mean(mean=None, variance=None, rows=0)
    return Mean(
        mean=float(values.mean()), variance=float(values.var(ddof=1)) if len(values) > 1 else 0.0, rows=len(values)
    )


def describe_scores(verdict: Verdict, facts: ModelFacts, current: Numbers, *, inflation: Inflation) -> dict[str, Any]:
    """Return the verdict on a score, the changes of its mean and of its mean log-odds, and the positive share."""
    rows = facts.score.rows, len(current)
    decided = compare_shares(
        reference=(facts.decided, rows[0]),
        current=(int(np.sum(current >= facts.threshold)), rows[1]),
        inflation=joint_inflation(rows, inflation),
    )
    return {
        **short(verdict),
        "mean": _compare(facts.score, mean_of(current), inflation),
        "mean_log_odds": _compare(facts.log_odds, mean_of(log_odds(current)), inflation),
        "positive_share": {
            "reference": decided.reference,
            "current": decided.current,
            "difference": decided.difference,
            "p_value": decided.p_value,
        },
    }


def _compare(reference: Mean, current: Mean, inflation: Inflation) -> dict[str, Any]:
    if reference.mean is None or reference.variance is None or current.mean is None or current.variance is None:
        return {"reference": reference.mean, "current": current.mean, "z": None, "p_value": None}
    test = compare_arm_means(
        Summary(reference.rows / inflation[0], reference.mean, reference.variance),
        Summary(current.rows / inflation[1], current.mean, current.variance),
    )
    return {"reference": test.control, "current": test.treatment, "z": test.statistic, "p_value": test.p_value}


def _spread_of_log_odds(reference: Distribution) -> float:
    odds, counts = log_odds(reference.values), np.diff(reference.below, prepend=0)
    if reference.rows < 2:
        return 0.0
    mean = float(np.sum(odds * counts)) / reference.rows
    return float(np.sqrt(np.sum(counts * (odds - mean) ** 2) / (reference.rows - 1)))
