"""Judge whether a model's scores, and how well they rank, are still what they were on the reference rows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.columns import numbers_of
from lab.drift import Verdict, short
from lab.predictions import LABEL, MODELS, score_column
from lab.stats.areas import AreaComparison, area_under_curve, compare_samples
from lab.stats.contingency import compare_shares
from lab.stats.means import compare_sample_means
from lab.stats.shifts import Shift, measure_numbers

Numbers = NDArray[np.float64]
HALF_A_STEP = 5e-7  # scores are rounded to 6 decimals, so 0 and 1 stand for less than this

Word = Literal["worse", "better", "equivalent", "not distinguishable", "undefined"]


def measure_models(reference: pa.Table, current: pa.Table) -> dict[str, Shift]:
    """Return how each model's scores moved from the reference predictions to the current ones."""
    return {
        name: measure_scores(numbers_of(reference[name]), numbers_of(current[name]))
        for name in (score_column(model) for model in MODELS)
    }


def describe_models(
    verdicts: Mapping[str, Verdict],
    reference: pa.Table,
    current: pa.Table,
    *,
    thresholds: Mapping[str, float],
    margin: float,
) -> dict[str, dict[str, Any]]:
    """Return, for each model, what its scores and its ROC AUC did."""
    labels = [numbers_of(table[LABEL]) for table in (reference, current)]
    described = {}
    for model in MODELS:
        name = score_column(model)
        scores = [numbers_of(table[name]) for table in (reference, current)]
        described[model] = {
            "score": describe_scores(verdicts[name], *scores, threshold=thresholds[model]),
            "performance": compare_performance(*zip(labels, scores, strict=True), margin=margin),
        }
    return described


def measure_scores(reference: Numbers, current: Numbers) -> Shift:
    """Return the shift of the scores, with their distance on the log-odds scale as one size more.

    Every test goes by ranks, and log-odds rank as the scores do: only distances differ.
    """
    shift = measure_numbers(reference, current)
    on_log_odds = measure_numbers(log_odds(reference), log_odds(current))
    if "wasserstein" not in on_log_odds.sizes:
        return shift
    return replace(shift, sizes=shift.sizes | {"wasserstein_log_odds": on_log_odds.sizes["wasserstein"]})


def log_odds(scores: Numbers) -> Numbers:
    """Return the log-odds of scores; a score of 0 or 1 is taken as half a step away from it."""
    kept = np.clip(scores, HALF_A_STEP, 1 - HALF_A_STEP)
    odds: Numbers = np.log(kept / (1 - kept)).astype(np.float64).round(9)
    return odds


def with_log_odds(material: Mapping[str, float]) -> dict[str, float]:
    """Return the thresholds with one for the distance on the log-odds scale, the same as on the other."""
    return {**material, "wasserstein_log_odds": material["wasserstein"]}


def describe_scores(verdict: Verdict, reference: Numbers, current: Numbers, *, threshold: float) -> dict[str, Any]:
    """Return a score's verdict, how its mean and its log-odds' mean moved, and the share decided positive."""
    decided = compare_shares(
        reference=(int(np.sum(reference >= threshold)), len(reference)),
        current=(int(np.sum(current >= threshold)), len(current)),
    )
    return {
        **short(verdict),
        "mean": _means(reference, current),
        "mean_log_odds": _means(log_odds(reference), log_odds(current)),
        "positive_share": {
            "reference": decided.reference,
            "current": decided.current,
            "difference": decided.difference,
            "p_value": decided.p_value,
        },
    }


def compare_performance(
    reference: tuple[Numbers, Numbers], current: tuple[Numbers, Numbers], *, margin: float
) -> dict[str, Any]:
    """Return the areas under the ROC curve on both samples, each given as (labels, scores), and a word.

    `worse` means that the whole interval of the difference lies below minus the margin: a reference that was lucky
    must not raise an alarm.
    """
    for name, (labels, _) in (("reference", reference), ("current", current)):
        if len(np.unique(labels)) < 2:
            reason = f"the {name} rows hold {'one class only' if len(labels) else 'no row'}"
            return {"verdict": "undefined", "reason": reason, "difference": None, "low": None, "high": None}
    areas = compare_samples(area_under_curve(*reference), area_under_curve(*current))
    return {
        "verdict": _judge(areas, margin=margin),
        "reason": areas.reason,
        "reference": areas.first,
        "current": areas.second,
        "difference": areas.difference,
        "low": areas.low,
        "high": areas.high,
        "p_value": areas.p_value,
    }


def suggest_retraining(
    *, drifted_share: float | None, share_limit: float | None, performance: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return whether to retrain, and each rule with what it saw and whether it fired; None switches a rule off."""
    rules: dict[str, dict[str, Any]] = {}
    if share_limit is not None:
        fired = drifted_share is not None and drifted_share > share_limit
        rules["drifted_columns"] = {"value": drifted_share, "limit": share_limit, "fired": fired}
    if performance is not None:
        fired = performance["verdict"] == "worse"
        rules["realised_performance"] = {"value": performance["difference"], "fired": fired}
    return {"suggested": any(rule["fired"] for rule in rules.values()), "rules": rules}


def _means(reference: Numbers, current: Numbers) -> dict[str, Any]:
    if min(len(reference), len(current)) == 0:
        return {"reference": None, "current": None, "z": None, "p_value": None}
    test = compare_sample_means(reference, current)
    return {"reference": test.first, "current": test.second, "z": test.t, "p_value": test.p_value}


def _judge(areas: AreaComparison, *, margin: float) -> Word:
    if areas.low is None or areas.high is None:
        return "undefined"
    if areas.high < -margin:
        return "worse"
    if areas.low > margin:
        return "better"
    return "equivalent" if -margin <= areas.low and areas.high <= margin else "not distinguishable"
