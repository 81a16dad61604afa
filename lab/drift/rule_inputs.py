"""What each rule for retraining sees in a judged batch."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from lab.drift.attribution import drifted_weight
from lab.drift.policies import Sighting, days_between, furthest_rolling_mean, naive_share, relative_change
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import score_column
from lab.reference.columns import Verdict, drifted_share
from lab.reference.reference import Reference
from lab.reference.rows import moments_of
from lab.stats.shift.shifts import Shift

SERVING = "champion"  # whose scores decide today, and so whose fall asks for a retraining
NO_SCORE = "no score of the champion in the rows"
NO_ORDER = "the rows have no moment, and so no order"


def sightings_of(
    reference: Reference,
    batch: pa.Table,
    columns: Mapping[str, Verdict],
    shares: Mapping[str, float],
    models: Mapping[str, Mapping[str, Any]],
    *,
    in_time: pa.Table | None,
) -> dict[str, Sighting]:
    """Return what every rule sees; `in_time` are the rows as they came, None where they have no order."""
    shifts: dict[str, Shift] = {name: verdict.shift for name, verdict in columns.items()}
    return {
        "drifted_columns": Sighting(drifted_share(columns)),
        "weighted_columns": Sighting(drifted_weight(columns, shares)),
        "age": Sighting(_age(reference, batch)),
        "naive_columns": Sighting(naive_share(shifts)),
        **_of_scores(reference, models.get(SERVING), in_time),
    }


def _of_scores(reference: Reference, seen: Mapping[str, Any] | None, in_time: pa.Table | None) -> dict[str, Sighting]:
    if seen is None:
        names = "realised_performance", "estimated_performance", "naive_performance"
        return dict.fromkeys((*names, "naive_rolling_mean", "naive_mean_score"), Sighting(None, reason=NO_SCORE))
    facts = reference.facts.models[SERVING]
    rolling = None
    if in_time is not None:
        rolling = furthest_rolling_mean(numbers_of(in_time[score_column(SERVING)]), facts.score.mean)
    realised, mean = seen["performance"], seen["score"]["mean"]
    fall = relative_change(realised.get("reference"), realised.get("current"))
    moved = relative_change(mean["reference"], mean["current"])
    return {
        "realised_performance": _of_area(realised),
        "estimated_performance": _of_area(seen["estimated"]),
        "naive_performance": Sighting(-fall if fall is not None else None, reason=realised["reason"]),
        "naive_rolling_mean": Sighting(rolling, reason=NO_ORDER if in_time is None else ""),
        "naive_mean_score": Sighting(abs(moved) if moved is not None else None),
    }


def _of_area(found: Mapping[str, Any]) -> Sighting:
    return Sighting(found["difference"], fired=found["verdict"] == "worse", reason=found["reason"])


def _age(reference: Reference, batch: pa.Table) -> float | None:
    moments = moments_of(batch, reference.facts.inputs)
    if moments is None or len(moments) == 0:
        return None
    return days_between(reference.facts.last_moment, str(moments.max()))
