"""Collect the alerts of a drift report as records, sorted by severity."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from lab.reference.columns import Verdict

Severity = Literal["critical", "warning", "notice"]
ORDER: tuple[Severity, ...] = ("critical", "warning", "notice")


def alerts_of(
    document: Mapping[str, Any],
    verdicts: Mapping[str, Verdict],
    *,
    significance: float,
    margin: float,
    material: Mapping[str, float],
) -> list[dict[str, Any]]:
    """Return the alerts, the most severe first, then by subject and rule."""
    found = [
        *(
            _alert(
                fault["column"] or "batch",
                f"data_fault_{fault['kind']}".replace(" ", "_"),
                fault["value"],
                fault["limit"],
                "critical",
            )
            for fault in document["faults"]
        ),
        *_of_policies(document["policies"]),
        *_of_models(document["models"], margin=margin),
        *_of_columns(verdicts, material),
        *_of_chunks(document["chunks"]),
        *_of_streams(document["streams"]),
        *_of_rows(document["anomalies"], significance=significance),
        *_of_domain_classifier(document["whole_table"], significance=significance),
    ]
    return sorted(found, key=lambda alert: (ORDER.index(alert["severity"]), alert["subject"], alert["rule"]))


def _alert(subject: str, rule: str, value: Any, limit: Any, severity: Severity) -> dict[str, Any]:
    return {"subject": subject, "rule": rule, "value": value, "limit": limit, "severity": severity}


def _of_policies(policies: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for rule in policies:
        if rule["fired"]:
            severity: Severity = "critical" if rule["counts"] else "notice"
            yield _alert("retrain", rule["policy"], rule["value"], rule["limit"], severity)


def _of_models(models: list[dict[str, Any]], *, margin: float) -> Iterator[dict[str, Any]]:
    for model in models:
        for rule, severity in (("performance", "critical"), ("estimated", "warning")):
            if model[rule]["verdict"] == "worse":
                yield _alert(model["model"], f"{rule}_worse", model[rule]["difference"], -margin, severity)  # type: ignore[arg-type]


def _of_columns(verdicts: Mapping[str, Verdict], material: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    for name, verdict in verdicts.items():
        if verdict.word == "drifted" and verdict.measure:
            yield _alert(name, verdict.measure, verdict.effect, material[verdict.measure], "warning")


def _of_chunks(chunks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for chunk in chunks:
        for line in chunk["figures"]:
            if line["alarm"]:
                limit = line["low"] if line["value"] < line["low"] else line["high"]
                yield _alert(f"{line['figure']} from {chunk['first']}", "chunk_limits", line["value"], limit, "warning")


def _of_streams(streams: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for line in streams:
        # ADWIN detects any change; fewer errors need no action.
        if line["alarms"] and line["since"] > line["before"]:
            yield _alert(f"{line['model']} errors", line["detector"], line["since"], line["before"], "warning")


def _of_rows(anomalies: Mapping[str, Any], *, significance: float) -> Iterator[dict[str, Any]]:
    if anomalies["p_value"] is not None and anomalies["p_value"] < significance:
        yield _alert("rows", "anomalous_share", anomalies["share"], anomalies["promised"], "warning")


def _of_domain_classifier(found: Mapping[str, Any], *, significance: float) -> Iterator[dict[str, Any]]:
    if found["p_value"] is not None and found["p_value"] < significance:
        yield _alert("table", "domain_classifier", found["roc_auc"], 0.5, "notice")
