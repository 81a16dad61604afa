"""Fit the drift reference, so that batches are compared without its rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.core.schema import FeatureSchema
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import LABEL, score_column
from lab.predictions.units import Codes, units_of
from lab.reference.anomalies import fit_forest
from lab.reference.chunks import limits_of
from lab.reference.columns import counts_of
from lab.reference.encoding import Margins
from lab.reference.facts import ColumnFacts, ModelFacts, ReferenceFacts
from lab.reference.performance import area_facts, calibration_of, realised_metrics
from lab.reference.reference import Reference
from lab.reference.rows import (
    Kind,
    compared_columns,
    in_order,
    inflations_of,
    keys_in,
    kind_of,
    labels_of,
    moments_of,
    scored_models,
)
from lab.reference.scores import mean_of
from lab.reference.settings import ReferenceSettings
from lab.stats.core.log_odds import log_odds
from lab.stats.shift.distributions import Distribution, distribution_of, thinned

Stream = Callable[[str], np.random.Generator]
Flags = NDArray[np.bool_]

PARTITIONS = 20


@dataclass(frozen=True)
class Draws:
    """The random draws: held-out rows, partitions of the rows into groups, and the sample to keep."""

    held_out: Flags
    partitions: list[Codes]
    kept: NDArray[np.int64]


def fit_reference(
    table: pa.Table,
    schema: FeatureSchema,
    thresholds: Mapping[str, float],
    *,
    window: str,
    settings: ReferenceSettings,
    stream_of: Stream,
) -> Reference:
    """Return the reference of rows with features, labels and scores."""
    rows = in_order(table, schema)
    _check(rows, schema, window)
    kinds = _kinds_of(rows, schema)
    exact = {name: _distribution(rows[name]) for name, kind in kinds.items() if kind == "number"}
    numbers = {name: thinned(found, points=settings.points) for name, found in exact.items() if found is not None}
    levels = {name: _sorted_counts(rows[name]) for name, kind in kinds.items() if kind != "number"}
    columns = _column_facts(rows, kinds, numbers, schema)
    draws = _draw(rows, schema, settings, stream_of)
    models = {model: _model_facts(rows, schema, model, thresholds[model], draws) for model in scored_models(rows)}
    forest = fit_forest(
        rows,
        Margins(numbers, levels, {name: facts.missing for name, facts in columns.items()}),
        sorted(schema.features),
        held_out=draws.held_out,
        rate=settings.false_alarm_rate,
        trees=settings.trees,
        seed=int(stream_of("forest").integers(2**31)),
    )
    moments = moments_of(rows, schema)
    facts = ReferenceFacts(
        window=window,
        rows=rows.num_rows,
        first_moment=str(moments.min()) if moments is not None else None,
        last_moment=str(moments.max()) if moments is not None else None,
        inputs=schema,
        units={name: str(rows.schema.field(name).type) for name in schema.unit if name in rows.column_names},
        columns=columns,
        models=models,
        chunks=limits_of(rows, schema, models, draws.partitions, chunks=settings.chunks),
        anomalies=forest.facts if forest else None,
    )
    names = [*keys_in(rows, schema), *kinds, *([LABEL] if LABEL in rows.column_names else [])]
    sample = rows.select(names).take(pa.array(draws.kept))
    return Reference(facts, numbers, levels, sample, forest.content if forest else None)


def _check(rows: pa.Table, schema: FeatureSchema, window: str) -> None:
    if absent := [name for name in compared_columns(schema) if name not in rows.column_names]:
        raise SourceError(f"{window} lacks the columns {absent}; it has {rows.column_names}. Cure: dvc repro featurize")
    if rows.num_rows == 0:
        raise SourceError(f"{window} has no rows, expected rows for the reference. Cure: a longer {window} window.")


def _kinds_of(rows: pa.Table, schema: FeatureSchema) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {
        name: kind_of(name, schema, rows.schema.field(name).type) for name in compared_columns(schema)
    }
    return kinds | {score_column(model): "number" for model in scored_models(rows)}


def _distribution(column: pa.ChunkedArray) -> Distribution | None:
    values = numbers_of(column)
    present = values[~np.isnan(values)]
    return distribution_of(present) if len(present) else None


def _sorted_counts(column: pa.ChunkedArray) -> dict[str, int]:
    counts, _ = counts_of(column)
    return {level: counts[level] for level in sorted(counts)}


def _column_facts(
    rows: pa.Table, kinds: Mapping[str, Kind], numbers: Mapping[str, Distribution], schema: FeatureSchema
) -> dict[str, ColumnFacts]:
    factors = inflations_of(rows, kinds, schema)
    facts = {}
    for name, kind in kinds.items():
        values = numbers_of(rows[name]) if kind == "number" else None
        missing = int(np.isnan(values).sum()) if values is not None else rows[name].null_count
        found = numbers.get(name)
        facts[name] = ColumnFacts(
            kind=kind,
            type=str(rows.schema.field(name).type),
            missing=missing,
            spread=found.spread if found else 0.0,
            exact=found.exact if found else True,
            inflation=factors[name],
        )
    return facts


def _draw(rows: pa.Table, schema: FeatureSchema, settings: ReferenceSettings, stream_of: Stream) -> Draws:
    units = units_of(rows, schema)
    codes = np.arange(rows.num_rows) if units is None else np.unique(units, return_inverse=True)[1]
    count = int(codes.max(initial=-1)) + 1
    half = np.zeros(count, dtype=bool)
    half[stream_of("halves").permutation(count)[: count // 2]] = True
    rng = stream_of("groups")
    partitions = [rng.permutation(np.arange(count) % settings.chunks)[codes] for _ in range(PARTITIONS)]
    size = min(settings.rows, rows.num_rows)
    kept = np.sort(stream_of("rows").choice(rows.num_rows, size, replace=False))
    return Draws(half[codes], partitions, kept)


def _model_facts(rows: pa.Table, schema: FeatureSchema, model: str, threshold: float, draws: Draws) -> ModelFacts:
    scores, labels, units = numbers_of(rows[score_column(model)]), labels_of(rows), units_of(rows, schema)
    known = ~np.isnan(labels)
    y, p, held_out = labels[known], scores[known], draws.held_out[known]
    splittable = min(int(held_out.sum()), int((~held_out).sum())) > 0
    error, calibrated_error, curve = calibration_of(y, p, held_out) if splittable else (None, None, None)
    return ModelFacts(
        threshold=threshold,
        score=mean_of(scores),
        log_odds=mean_of(log_odds(scores)),
        decided=int(np.sum(scores >= threshold)),
        labelled=len(y),
        positives=int(y.sum()),
        area=area_facts(y, p, units[known] if units is not None else None),
        metrics=realised_metrics(y, p, threshold=threshold),
        error_rate=float(np.mean((p >= threshold) != (y == 1))) if len(y) else None,
        calibration_error=error,
        calibrated_error=calibrated_error,
        curve_x=tuple(curve.x.tolist()) if curve else (),
        curve_y=tuple(curve.y.tolist()) if curve else (),
    )
