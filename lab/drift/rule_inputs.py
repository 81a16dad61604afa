"""Compute the inputs of the retraining rules."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from lab.drift.attribution import drifted_weight
from lab.drift.policies import RuleInput, days_between, furthest_rolling_mean, naive_share, relative_change
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import score_column
from lab.reference.columns import Verdict, drifted_share
from lab.reference.reference import Reference
from lab.reference.rows import moments_of
from lab.stats.shift.shifts import Shift

SERVING = "champion"  # the model whose decline suggests a retraining
NO_SCORE = "no score of the champion in the rows"
NO_ORDER = "the rows have no moment, so no time order"


def rule_inputs(
    reference: Reference,
    batch: pa.Table,
    columns: Mapping[str, Verdict],
    shares: Mapping[str, float],
    models: Mapping[str, Mapping[str, Any]],
    *,
    in_time: pa.Table | None,
) -> dict[str, RuleInput]:
    """Return the input of every rule; `in_time` are the rows in time order, None without moments."""
    shifts: dict[str, Shift] = {name: verdict.shift for name, verdict in columns.items()}
    return {
        "drifted_columns": RuleInput(drifted_share(columns)),
        "weighted_columns": RuleInput(drifted_weight(columns, shares)),
        "age": RuleInput(_age(reference, batch)),
        "naive_columns": RuleInput(naive_share(shifts)),
        **_of_scores(reference, models.get(SERVING), in_time),
    }


def _of_scores(reference: Reference, model: Mapping[str, Any] | None, in_time: pa.Table | None) -> dict[str, RuleInput]:
    if model is None:
        names = "realised_performance", "estimated_performance", "naive_performance"
        return dict.fromkeys((*names, "naive_rolling_mean", "naive_mean_score"), RuleInput(None, reason=NO_SCORE))
    facts = reference.facts.models[SERVING]
    rolling = None
    if in_time is not None:
        rolling = furthest_rolling_mean(numbers_of(in_time[score_column(SERVING)]), facts.score.mean)
    realised, mean = model["performance"], model["score"]["mean"]
    change = relative_change(realised.get("reference"), realised.get("current"))
    mean_change = relative_change(mean["reference"], mean["current"])
    return {
        "realised_performance": _of_area(realised),
        "estimated_performance": _of_area(model["estimated"]),
        "naive_performance": RuleInput(-change if change is not None else None, reason=realised["reason"]),
        "naive_rolling_mean": RuleInput(rolling, reason=NO_ORDER if in_time is None else ""),
        "naive_mean_score": RuleInput(abs(mean_change) if mean_change is not None else None),
    }


def _of_area(found: Mapping[str, Any]) -> RuleInput:
    known = found["verdict"] != "undefined"
    return RuleInput(found["difference"] if known else None, fired=found["verdict"] == "worse", reason=found["reason"])


def _age(reference: Reference, batch: pa.Table) -> float | None:
    moments = moments_of(batch, reference.facts.inputs)
    if moments is None or len(moments) == 0:
        return None
    return days_between(reference.facts.last_moment, str(moments.max()))
