"""Convert the results of drift, evaluation and gates to gauges."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ops.gauges.text import Gauge

HELP_TEXTS = {
    "lab_champion": "1 for the model that the repository calls champion.",
    "lab_drift_anomalous_share": "The share of rows unlike the reference, with the limits of its 95 % interval.",
    "lab_drift_anomalous_share_promised": "The share of rows that would be unlike the reference by chance.",
    "lab_drift_column_effect": "How far a column moved, in its own measure.",
    "lab_drift_columns": "Columns by verdict.",
    "lab_drift_data_faults": "Damaged columns, and damages of the whole batch.",
    "lab_drift_drifted_share": "The share of columns that drifted.",
    "lab_drift_estimated_roc_auc": "What is expected of a model's ROC AUC by its scores before labels are known.",
    "lab_drift_last_moment_seconds": "The newest row that was judged, in seconds since 1970.",
    "lab_drift_mean_score": "The mean score of a model's rows.",
    "lab_drift_positive_share": "The share of rows that a model decides positive.",
    "lab_drift_retrain_suggested": "1 where a rule that counts suggests a retraining.",
    "lab_drift_roc_auc": "A model's ROC AUC on rows whose labels are known.",
    "lab_drift_roc_auc_difference": "Current less reference, with the limits of its 95 % interval.",
    "lab_drift_rows": "Rows that were judged, and rows of the reference.",
    "lab_drift_rule_counts": "1 where a rule can suggest a retraining.",
    "lab_drift_rule_fired": "1 where a rule fired.",
    "lab_drift_rule_limit": "The limit of a rule.",
    "lab_drift_rule_value": "What a rule saw.",
    "lab_gates_failed": "Gates that the challenger failed.",
    "lab_gates_within_noise": "Gates that the challenger misses, but not with its whole 95 % interval.",
    "lab_performance": "A figure of a model on a window of labelled rows, with the limits of its 95 % interval.",
}
FIGURES = ("accuracy", "average_precision", "brier", "calibration_error", "f1", "precision", "recall", "roc_auc")
WINDOWS = ("test", "current")
Found = Iterator[tuple[str, dict[str, str], float | None]]


def gauges_of(
    task: str,
    *,
    drift: Mapping[str, Any] | None,
    evaluated: Mapping[str, Any] | None,
    validated: Mapping[str, Any] | None,
    champion: Mapping[str, str] | None,
) -> list[Gauge]:
    """Return a task's gauges from drift.json, evaluate.json, validate.json and the champion; skip unknown values."""
    found = [
        *(_drift(drift) if drift else ()),
        *(_performance(evaluated) if evaluated else ()),
        *(_gates(validated) if validated else ()),
        *([("lab_champion", dict(champion), 1)] if champion else ()),
    ]
    return [Gauge(name, {"task": task, **labels}, value) for name, labels, value in found if value is not None]


def _drift(drift: Mapping[str, Any]) -> Found:
    rows, columns = drift["rows"], drift["columns"]
    yield "lab_drift_rows", {"window": "current"}, rows["current"]
    yield "lab_drift_rows", {"window": "reference"}, rows[drift["reference"]]
    yield "lab_drift_drifted_share", {}, drift["drifted_share"]
    yield "lab_drift_data_faults", {}, len(drift.get("faults", []))
    yield "lab_drift_retrain_suggested", {}, drift["retrain"]["suggested"]
    yield "lab_drift_last_moment_seconds", {}, _newest(drift["chunks"])
    for verdict, count in columns.items():
        yield "lab_drift_columns", {"verdict": verdict}, count
    for column in drift["verdicts"]:
        yield "lab_drift_column_effect", _labels(column, "column", "measure", "verdict"), column["effect"]
    yield from _anomalies(drift["anomalies"])
    yield from (found for rule in drift["policies"] for found in _rule(rule))
    yield from (found for model in drift["models"] for found in _model(model))


def _anomalies(found: Mapping[str, Any]) -> Found:
    yield "lab_drift_anomalous_share_promised", {}, found["promised"]
    for bound, key in (("value", "share"), ("low", "low"), ("high", "high")):
        yield "lab_drift_anomalous_share", {"bound": bound}, found[key]


def _rule(rule: Mapping[str, Any]) -> Found:
    labels = {"rule": rule["policy"]}
    yield "lab_drift_rule_fired", labels, rule["fired"]
    yield "lab_drift_rule_counts", labels, rule["counts"]
    yield "lab_drift_rule_value", labels, rule["value"]
    yield "lab_drift_rule_limit", labels, rule["limit"]


def _model(model: Mapping[str, Any]) -> Found:
    name = {"model": model["model"]}
    score, kinds = model["score"], (("labels", model["performance"]), ("estimate", model["estimated"]))
    for window in ("reference", "current"):
        labels = {**name, "window": window}
        yield "lab_drift_mean_score", labels, (score["mean"] or {}).get(window)
        yield "lab_drift_positive_share", labels, (score["positive_share"] or {}).get(window)
        yield "lab_drift_roc_auc", labels, model["performance"].get(window)
        yield "lab_drift_estimated_roc_auc", labels, model["estimated"].get(window)
    for kind, seen in kinds:
        for bound, key in (("value", "difference"), ("low", "low"), ("high", "high")):
            yield "lab_drift_roc_auc_difference", {**name, "by": kind, "bound": bound}, seen.get(key)


def _gates(validated: Mapping[str, Any]) -> Found:
    yield "lab_gates_failed", {}, len(validated["failed"])
    yield "lab_gates_within_noise", {}, len(validated.get("within_noise", []))


def _performance(evaluated: Mapping[str, Any]) -> Found:
    for model in ("champion", "challenger"):
        for window in WINDOWS:
            figures = evaluated.get(model, {}).get(window, {})
            for figure in FIGURES:
                labels = {"model": model, "window": window, "figure": figure}
                low, high = figures.get(f"{figure}_95") or (None, None)
                yield "lab_performance", {**labels, "bound": "value"}, figures.get(figure)
                yield "lab_performance", {**labels, "bound": "low"}, low
                yield "lab_performance", {**labels, "bound": "high"}, high


def _labels(found: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: str(found[name] or "") for name in names}


def _newest(chunks: list[Mapping[str, Any]]) -> float | None:
    moments = [datetime.fromisoformat(chunk["last"]) for chunk in chunks if chunk.get("last")]
    return max(moments).replace(tzinfo=UTC).timestamp() if moments else None
