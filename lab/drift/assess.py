"""Judge a batch against the reference: everything that the stage drift and `python -m ops drift` say of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lab.drift.alerts import alerts_of
from lab.drift.attribution import COLUMNS_SHOWN, find_segments, importance_shares, rank_moves
from lab.drift.domain_classifier import judge_whole
from lab.drift.overlap import inflations_between
from lab.drift.policies import combine, judge_policies, rates_for
from lab.drift.rule_inputs import sightings_of
from lab.drift.streams import watch_errors
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import score_column
from lab.reference.anomalies import anomaly_scores, count_anomalies, worst_rows
from lab.reference.chunks import Chunk, cut_by_time, figures_of, judge_chunks
from lab.reference.columns import Verdict, bin_rows, column_rows, judge, measure_columns, summary
from lab.reference.performance import estimated_performance, realised_calibration, realised_performance
from lab.reference.reference import Reference
from lab.reference.rows import (
    Kind,
    in_order,
    inflations_of,
    judged_columns,
    labels_of,
    order_in_time,
    scored_models,
    units_of,
)
from lab.reference.scores import describe_scores, measure_scores
from lab.reference.settings import DriftParams
from lab.stats.shift.dependence import Inflation, joint_inflation

LEAST_SAID = 1.01  # an inflation of less is not worth a line


@dataclass(frozen=True)
class Context:
    """What a batch is judged with, besides the reference."""

    params: DriftParams
    importance: Mapping[str, float]
    false_alarms: Mapping[str, Any]
    stream_of: Callable[[str], np.random.Generator]

    @property
    def material(self) -> dict[str, float]:
        """The thresholds, with one for the distance on the log-odds scale, the same as on the other."""
        found = self.params.material
        return {**found.model_dump(), "wasserstein_log_odds": found.wasserstein}


@dataclass(frozen=True)
class Assessment:
    """The document for metrics/drift.json, the points of the plots by their name, and the alerts."""

    document: dict[str, Any]
    points: dict[str, list[dict[str, Any]]]
    alerts: list[dict[str, Any]]


@dataclass(frozen=True)
class Judged:
    """The part of a judgement that the rules for retraining look at."""

    batch: pa.Table
    in_time: pa.Table | None
    factors: dict[str, Inflation]
    columns: dict[str, Verdict]
    scores: dict[str, Verdict]
    shares: dict[str, float]
    models: dict[str, dict[str, Any]]
    policies: list[dict[str, Any]]


def assess(reference: Reference, table: pa.Table, context: Context) -> Assessment:
    """Return the judgement of a batch; the order of its rows changes nothing."""
    judged = judge_rules(reference, table, context)
    document = {
        "reference": reference.facts.window,
        "rows": {reference.facts.window: reference.facts.rows, "current": judged.batch.num_rows},
        **summary(judged.columns),
        "performance": {model: seen["performance"]["verdict"] for model, seen in judged.models.items()},
        "models": [{"model": model, **seen} for model, seen in judged.models.items()],
        **_explained(reference, judged, context),
        **_of_rows(reference, judged.batch, context),
        "streams": [
            line
            for model in judged.models
            for line in watch_errors(judged.in_time, model, reference.facts.models[model], context.params.streams)
        ],
        "inflated": _inflated((reference.facts.rows, judged.batch.num_rows), judged.factors),
        "policies": judged.policies,
        "retrain": combine(judged.policies),
    }
    verdicts = judged.columns | judged.scores
    alerts = alerts_of(
        document,
        verdicts,
        significance=context.params.significance,
        margin=context.params.performance_margin,
        material=context.material,
    )
    return Assessment(document, _points(document, verdicts, context.material), alerts)


def judge_rules(reference: Reference, table: pa.Table, context: Context) -> Judged:
    """Return what every rule for retraining says of a batch, with all that they look at."""
    batch = in_order(table, reference.facts.inputs)
    order = order_in_time(batch, reference.facts.inputs, context.stream_of("order"))
    in_time = batch.take(pa.array(order)) if order is not None else None
    factors = _inflations(reference, batch)
    columns = _judge_columns(reference, batch, factors, context)
    scores = _judge_scores(reference, batch, factors, context)
    shares = importance_shares(context.importance, sorted(columns))
    models = {
        model: _describe(reference, batch, model, scores, factors, context.params) for model in scored_models(batch)
    }
    sightings = sightings_of(reference, batch, columns, shares, models, in_time=in_time)
    policies = judge_policies(
        sightings, context.params.policies, rates_for(batch.num_rows, context.false_alarms["rates"])
    )
    return Judged(batch, in_time, factors, columns, scores, shares, models, policies)


def _inflations(reference: Reference, batch: pa.Table) -> dict[str, Inflation]:
    schema = reference.facts.inputs
    names = [*judged_columns(schema), *map(score_column, scored_models(batch))]
    kinds: dict[str, Kind] = {name: reference.facts.columns[name].kind for name in names if name in batch.column_names}
    return inflations_between(reference, batch, kinds, inflations_of(batch, kinds, schema))


def _judge_columns(
    reference: Reference, batch: pa.Table, factors: Mapping[str, Inflation], context: Context
) -> dict[str, Verdict]:
    judged = {name: factors[name] for name in judged_columns(reference.facts.inputs) if name in factors}
    shifts = measure_columns(reference, batch, judged)
    return judge(shifts, significance=context.params.significance, material=context.material)


def _judge_scores(
    reference: Reference, batch: pa.Table, factors: Mapping[str, Inflation], context: Context
) -> dict[str, Verdict]:
    names = [score_column(model) for model in scored_models(batch)]
    shifts = {
        name: measure_scores(reference.numbers[name], numbers_of(batch[name]), inflation=factors[name])
        for name in names
    }
    return judge(shifts, significance=context.params.significance, material=context.material)


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


def _explained(reference: Reference, judged: Judged, context: Context) -> dict[str, Any]:
    moves = rank_moves(judged.columns, judged.shares)
    whole = judge_whole(reference, judged.batch, rng=context.stream_of("whole"))
    return {
        "moved": moves,
        "segments": find_segments(
            reference,
            judged.batch,
            [line["column"] for line in moves[:COLUMNS_SHOWN]],
            significance=context.params.significance,
            material=context.material,
        ),
        "whole_table": {**whole, "verdict": _word_of_whole(whole["p_value"], context.params.significance)},
    }


def _word_of_whole(p_value: float | None, significance: float) -> str:
    if p_value is None:
        return "untestable"
    return "told apart" if p_value < significance else "alike"


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
    figures = judge_chunks(
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
    verdicts = _judge_columns(reference, part, _inflations(reference, part), context)
    drifted = [name for name, verdict in verdicts.items() if verdict.word == "drifted"]
    return {"drifted": drifted, "judged": sum(verdict.word != "untestable" for verdict in verdicts.values())}


def _anomalies_in(reference: Reference, chunk: Chunk, scores: np.ndarray[Any, Any] | None) -> dict[str, Any]:
    return count_anomalies(reference, scores[chunk.rows] if scores is not None else None)


def _inflated(rows: tuple[int, int], factors: Mapping[str, Inflation]) -> list[dict[str, Any]]:
    """Return the columns whose tests were corrected because rows are alike, with the factor of their variance."""
    joint = {name: joint_inflation(rows, pair) for name, pair in sorted(factors.items())}
    return [{"column": name, "factor": factor} for name, factor in joint.items() if factor > LEAST_SAID]


def _points(
    document: Mapping[str, Any], verdicts: Mapping[str, Verdict], material: Mapping[str, float]
) -> dict[str, list[dict[str, Any]]]:
    return {
        "columns": column_rows(verdicts, material),
        "bins": bin_rows(verdicts),
        "chunks": [
            {"first": chunk["first"], "last": chunk["last"], "rows": chunk["rows"], **line}
            for chunk in document["chunks"]
            for line in [*chunk["figures"], _line_of_anomalies(chunk["anomalies"])]
        ],
        "policies": [{**rule, "naive": int(rule["naive"])} for rule in document["policies"]],
    }


def _line_of_anomalies(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "figure": "anomalous_share",
        "value": found["share"],
        "low": None,
        "high": found["promised"],
        "p_value": found["p_value"],
        "q_value": None,
        "alarm": None,
    }
