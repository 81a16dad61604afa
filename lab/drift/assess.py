"""Compare a batch with the drift reference: columns, models, rows, retraining rules."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from lab.drift.alerts import alerts_of
from lab.drift.attribution import COLUMNS_SHOWN, find_segments, importance_shares, rank_moves
from lab.drift.domain_classifier import run_domain_classifier
from lab.drift.faults import Fault, find_faults
from lab.drift.overlap import inflations_between
from lab.drift.policies import combine, evaluate_rules, rates_for
from lab.drift.rule_inputs import rule_inputs
from lab.drift.set_aside import SetAside
from lab.drift.streams import detect_error_changes
from lab.drift.verdict import verdict_of
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import score_column
from lab.predictions.units import units_of
from lab.reference.anomalies import anomaly_scores, count_anomalies, worst_rows
from lab.reference.chunks import Chunk, check_chunks, cut_by_time, figures_of
from lab.reference.columns import Verdict, bin_rows, column_rows, measure_columns, summary, verdicts_of
from lab.reference.performance import estimated_performance, realised_calibration, realised_performance
from lab.reference.reference import Reference
from lab.reference.rows import (
    Kind,
    compared_columns,
    in_order,
    inflations_of,
    labels_of,
    order_in_time,
    scored_models,
)
from lab.reference.scores import describe_scores, measure_scores
from lab.reference.settings import DriftParams
from lab.stats.shift.dependence import Inflation, joint_inflation

SMALLEST_REPORTED = 1.01  # design effects below are not reported


@dataclass(frozen=True)
class Context:
    """The settings and inputs of a drift assessment, besides the reference."""

    params: DriftParams
    importance: Mapping[str, float]
    false_alarms: Mapping[str, Any]
    stream_of: Callable[[str], np.random.Generator]
    set_aside: SetAside = field(default_factory=SetAside)

    @property
    def material(self) -> dict[str, float]:
        """The thresholds by measure; the distance on the log-odds scale has that of `wasserstein`."""
        found = self.params.material
        return {**found.model_dump(), "wasserstein_log_odds": found.wasserstein}


@dataclass(frozen=True)
class Assessment:
    """The document for metrics/drift.json, the plot data by name, and the alerts."""

    document: dict[str, Any]
    points: dict[str, list[dict[str, Any]]]
    alerts: list[dict[str, Any]]


@dataclass(frozen=True)
class Comparison:
    """The part of an assessment that the retraining rules need."""

    batch: pa.Table
    in_time: pa.Table | None
    factors: dict[str, Inflation]
    columns: dict[str, Verdict]
    scores: dict[str, Verdict]
    shares: dict[str, float]
    models: dict[str, dict[str, Any]]
    policies: list[dict[str, Any]]
    faults: list[Fault]

    @property
    def decision(self) -> dict[str, Any]:
        """The part of the document that decides whether to retrain."""
        found = {
            **summary(self.columns),
            "faults": [asdict(fault) for fault in self.faults],
            "data_faults": len(self.faults),
            "policies": self.policies,
            "retrain": combine(self.policies, self.faults),
        }
        return {**found, "verdict": verdict_of(found)}


def assess(reference: Reference, table: pa.Table, context: Context) -> Assessment:
    """Return the assessment of a batch, which does not depend on the order of its rows."""
    compared = compare_batch(reference, table, context)
    document = {
        "reference": reference.facts.window,
        "rows": {reference.facts.window: reference.facts.rows, "current": compared.batch.num_rows},
        **compared.decision,
        "set_aside": asdict(context.set_aside),
        "performance": {model: found["performance"]["verdict"] for model, found in compared.models.items()},
        "models": [{"model": model, **found} for model, found in compared.models.items()],
        **_explained(reference, compared, context),
        **_of_rows(reference, compared.batch, context),
        "streams": [
            line
            for model in compared.models
            for line in detect_error_changes(
                compared.in_time, model, reference.facts.models[model], context.params.streams
            )
        ],
        "inflated": _inflated((reference.facts.rows, compared.batch.num_rows), compared.factors),
    }
    verdicts = compared.columns | compared.scores
    alerts = alerts_of(
        document,
        verdicts,
        significance=context.params.significance,
        margin=context.params.performance_margin,
        material=context.material,
    )
    return Assessment(document, _points(document, verdicts, context.material), alerts)


def compare_batch(reference: Reference, table: pa.Table, context: Context) -> Comparison:
    """Return the results of all retraining rules for a batch, with their inputs."""
    batch = in_order(table, reference.facts.inputs)
    order = order_in_time(batch, reference.facts.inputs, context.stream_of("order"))
    in_time = batch.take(pa.array(order)) if order is not None else None
    factors = _inflations(reference, batch)
    columns = _column_verdicts(reference, batch, factors, context)
    scores = _score_verdicts(reference, batch, factors, context)
    shares = importance_shares(context.importance, sorted(columns))
    models = {
        model: _describe(reference, batch, model, scores, factors, context.params) for model in scored_models(batch)
    }
    inputs = rule_inputs(reference, batch, columns, shares, models, in_time=in_time)
    rates = rates_for(batch.num_rows, context.false_alarms["rates"])
    policies = evaluate_rules(inputs, context.params.policies, rates)
    faults = find_faults(reference, batch, context.params.faults, context.set_aside)
    return Comparison(batch, in_time, factors, columns, scores, shares, models, policies, faults)


def _inflations(reference: Reference, batch: pa.Table) -> dict[str, Inflation]:
    schema = reference.facts.inputs
    names = [*compared_columns(schema), *map(score_column, scored_models(batch))]
    kinds: dict[str, Kind] = {name: reference.facts.columns[name].kind for name in names if name in batch.column_names}
    return inflations_between(reference, batch, kinds, inflations_of(batch, kinds, schema))


def _column_verdicts(
    reference: Reference, batch: pa.Table, factors: Mapping[str, Inflation], context: Context
) -> dict[str, Verdict]:
    known = {name: factors[name] for name in compared_columns(reference.facts.inputs) if name in factors}
    shifts = measure_columns(reference, batch, known)
    return verdicts_of(shifts, significance=context.params.significance, material=context.material)


def _score_verdicts(
    reference: Reference, batch: pa.Table, factors: Mapping[str, Inflation], context: Context
) -> dict[str, Verdict]:
    names = [score_column(model) for model in scored_models(batch)]
    shifts = {
        name: measure_scores(reference.numbers[name], numbers_of(batch[name]), inflation=factors[name])
        for name in names
    }
    return verdicts_of(shifts, significance=context.params.significance, material=context.material)


def _describe(
    reference: Reference,
    batch: pa.Table,
    model: str,
    verdicts: Mapping[str, Verdict],
    factors: Mapping[str, Inflation],
    params: DriftParams,
) -> dict[str, Any]:
    facts, name = reference.facts.models[model], score_column(model)
    scores, labels, units = numbers_of(batch[name]), labels_of(batch), units_of(batch, reference.facts.inputs)
    known = ~np.isnan(labels)
    y, p, margin = labels[known], scores[known], params.performance_margin
    return {
        "score": describe_scores(verdicts[name], facts, scores, inflation=factors[name]),
        "performance": realised_performance(facts, y, p, units[known] if units is not None else None, margin=margin),
        "calibration": realised_calibration(facts, y, p),
        "estimated": estimated_performance(facts, scores, margin=margin),
    }


def _explained(reference: Reference, compared: Comparison, context: Context) -> dict[str, Any]:
    moves = rank_moves(compared.columns, compared.shares)
    classifier = run_domain_classifier(reference, compared.batch, rng=context.stream_of("whole"))
    classifier["verdict"] = _domain_verdict(classifier["p_value"], context.params.significance)
    return {
        "moved": moves,
        "segments": find_segments(
            reference,
            compared.batch,
            [line["column"] for line in moves[:COLUMNS_SHOWN]],
            significance=context.params.significance,
            material=context.material,
        ),
        "whole_table": classifier,
    }


def _domain_verdict(p_value: float | None, significance: float) -> str:
    if p_value is None:
        return "untestable"
    return "distinguishable" if p_value < significance else "not distinguishable"


def _of_rows(reference: Reference, batch: pa.Table, context: Context) -> dict[str, Any]:
    scores = anomaly_scores(reference, batch)
    return {
        "anomalies": {**count_anomalies(reference, scores), "worst": worst_rows(reference, batch, scores)},
        "chunks": _chunks(reference, batch, scores, context),
    }


def _chunks(
    reference: Reference, batch: pa.Table, scores: np.ndarray[Any, Any] | None, context: Context
) -> list[dict[str, Any]]:
    facts, params = reference.facts, context.params
    chunks = cut_by_time(batch, facts.inputs, chunks=params.chunks)
    parts = [batch.take(pa.array(chunk.rows)) for chunk in chunks]
    figures = check_chunks(
        [figures_of(part, facts.models) for part in parts],
        [part.num_rows for part in parts],
        facts.chunks,
        significance=params.significance,
    )
    return [
        {
            "first": chunk.first,
            "last": chunk.last,
            "rows": part.num_rows,
            "limits_by": facts.chunks.by,
            "figures": lines,
            "columns": _drifted_in(reference, part, context),
            "anomalies": _anomalies_in(reference, chunk, scores),
        }
        for chunk, part, lines in zip(chunks, parts, figures, strict=True)
    ]


def _drifted_in(reference: Reference, part: pa.Table, context: Context) -> dict[str, Any]:
    verdicts = _column_verdicts(reference, part, _inflations(reference, part), context)
    drifted = [name for name, verdict in verdicts.items() if verdict.word == "drifted"]
    return {"drifted": drifted, "judged": sum(verdict.word != "untestable" for verdict in verdicts.values())}


def _anomalies_in(reference: Reference, chunk: Chunk, scores: np.ndarray[Any, Any] | None) -> dict[str, Any]:
    return count_anomalies(reference, scores[chunk.rows] if scores is not None else None)


def _inflated(rows: tuple[int, int], factors: Mapping[str, Inflation]) -> list[dict[str, Any]]:
    """Return the columns whose tests were corrected for correlated rows, with their design effects."""
    joint = {name: joint_inflation(rows, pair) for name, pair in sorted(factors.items())}
    return [{"column": name, "factor": factor} for name, factor in joint.items() if factor > SMALLEST_REPORTED]


def _points(
    document: Mapping[str, Any], verdicts: Mapping[str, Verdict], material: Mapping[str, float]
) -> dict[str, list[dict[str, Any]]]:
    return {
        "columns": column_rows(verdicts, material),
        "bins": bin_rows(verdicts),
        "chunks": [
            {"first": chunk["first"], "last": chunk["last"], "rows": chunk["rows"], **line}
            for chunk in document["chunks"]
            for line in [*chunk["figures"], _anomaly_point(chunk["anomalies"])]
        ],
        "policies": [
            {**rule, "naive": int(rule["naive"]), "judged": int(rule["judged"])} for rule in document["policies"]
        ],
    }


def _anomaly_point(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "figure": "anomalous_share",
        "value": found["share"],
        "low": None,
        "high": found["promised"],
        "p_value": found["p_value"],
        "q_value": None,
        "alarm": None,
    }
