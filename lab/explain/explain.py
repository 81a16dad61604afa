"""Explain both models: metrics, plot points, and tables of rows with their reasons."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lab.compiled.wording import ReferenceValues
from lab.core.schema import FeatureSchema
from lab.explain.chosen import choose_rows
from lab.explain.contributions import contributions_of
from lab.explain.points import (
    PlotRow,
    dependence_rows,
    importance_rows,
    permutation_rows,
    swarm_rows,
    waterfall_rows,
)
from lab.explain.reasons import check_words, reasons_of, reference_values_of, rows_of
from lab.explain.results import document_of, notes_of, table_of
from lab.explain.settings import ExplainParams
from lab.explain.shuffles import correlated_groups
from lab.explain.study import Streams, Study, dependences_of, grids_of, sample_places, study_model
from lab.models.frames import frame_of
from lab.models.models import Model
from lab.predictions.columns import numbers_of
from lab.predictions.units import Codes, units_of
from lab.task.words import FeatureWords

LABEL = "label"
FIRST = "challenger"  # the model of the example rows and of the order of features


@dataclass(frozen=True)
class Explanation:
    """The outputs: metrics, points by plot, and tables by path (MODEL/WINDOW, and the reference rows)."""

    metrics: dict[str, Any]
    plots: dict[str, list[PlotRow]]
    tables: dict[str, pa.Table]


@dataclass(frozen=True)
class Data:
    """The tables, and the common inputs of all explanations: frames of all features, the labels and units of test."""

    schema: FeatureSchema
    tables: Mapping[str, pa.Table]
    frames: Mapping[str, pd.DataFrame]
    labels: NDArray[np.bool_]
    units: Codes | None
    words: Mapping[str, FeatureWords]
    usual: Mapping[str, ReferenceValues]


def explain(
    models: Mapping[str, Model],
    tables: Mapping[str, pa.Table],
    schema: FeatureSchema,
    words: Mapping[str, FeatureWords],
    *,
    params: ExplainParams,
    stream_of: Streams,
) -> Explanation:
    """Return the explanation of both models on test rows and on the current rows with the highest scores."""
    unknown = check_words(words, schema.features)
    data = _data(tables, schema, words, params, stream_of)
    groups = correlated_groups(data.frames["reference"], schema.features, above=params.shuffles.correlated_above)
    studies = {
        name: study_model(model, data.frames, data.labels, data.units, groups, params=params, stream_of=stream_of)
        for name, model in models.items()
    }
    notes = notes_of(data.frames["test"], schema.features, data.labels)
    return Explanation(
        metrics=document_of(studies, groups=groups, unknown=unknown, notes=notes),
        plots={
            "importance": importance_rows(studies, most=params.features_shown),
            "permutation": permutation_rows(studies, groups, most=params.features_shown),
            **_rows_of_one(studies[FIRST], data, params),
            **_dependences(studies, data, params, stream_of),
        },
        tables={"reference": data.tables["reference"], **dict(_explained(studies, data, params))},
    )


def _data(
    tables: Mapping[str, pa.Table],
    schema: FeatureSchema,
    words: Mapping[str, FeatureWords],
    params: ExplainParams,
    stream_of: Streams,
) -> Data:
    places = sample_places(tables["train"].num_rows, params.reference_rows, rng=stream_of("reference"))
    reference = tables["train"].take(pa.array(places)).select(sorted(schema.features))
    used = {"reference": reference, "test": tables["test"], "current": tables["current"]}
    frames = {name: frame_of(table, schema.features) for name, table in used.items()}
    labels = numbers_of(tables["test"][LABEL]) == 1
    usual = reference_values_of(frames["reference"], schema.features)
    return Data(schema, used, frames, labels, units_of(tables["test"], schema), words, usual)


def _rows_of_one(study: Study, data: Data, params: ExplainParams) -> dict[str, list[PlotRow]]:
    """Return the plot points of the first model: the beeswarm, and waterfalls of example rows."""
    test, explained = data.frames["test"], study.explained["test"]
    shown = list(study.importance)[: params.features_shown]
    chosen = choose_rows(study.scores["test"], data.labels, threshold=study.model.threshold)
    frame = test.iloc[[one.place for one in chosen]]
    names = _names(data.tables["test"], [one.place for one in chosen], keys=data.schema.keys)
    scores = [float(study.scores["test"][one.place]) for one in chosen]
    return {
        "swarm": swarm_rows(explained.contributions, test.iloc[explained.places], data.schema.features, shown),
        "waterfall": waterfall_rows(
            list(zip(chosen, names, scores, strict=True)),
            contributions_of(study.explainer, frame[sorted(study.model.features)]),
            rows_of(frame),
            data.schema.features,
            unit=study.explainer.unit.replace("_", "-"),
            most=params.features_shown,
        ),
    }


def _dependences(
    studies: Mapping[str, Study], data: Data, params: ExplainParams, stream_of: Streams
) -> dict[str, list[PlotRow]]:
    """Return partial dependence for the most important features of either model, on the same rows."""
    settings, features = params.dependence, data.schema.features
    names = list(
        dict.fromkeys(name for study in studies.values() for name in list(study.importance)[: settings.features])
    )
    grids = grids_of(data.frames["reference"], names, features, most=settings.points)
    test = data.frames["test"]
    rows = test.iloc[sample_places(len(test), settings.rows, rng=stream_of("dependence"))].reset_index(drop=True)
    found = {name: dependences_of(study, rows, grids) for name, study in studies.items()}
    return {
        "dependence": dependence_rows(found, features, numbers=True),
        "dependence_of_levels": dependence_rows(found, features, numbers=False),
    }


def _explained(studies: Mapping[str, Study], data: Data, params: ExplainParams) -> Iterator[tuple[str, pa.Table]]:
    for model, study in studies.items():
        for window, explained in study.explained.items():
            rows = rows_of(data.frames[window].iloc[explained.places])
            reasons = reasons_of(explained.contributions, rows, data.words, data.usual, most=params.reasons)
            yield (
                f"{model}/{window}",
                table_of(
                    data.tables[window],
                    explained,
                    study.scores[window],
                    reasons,
                    keys=data.schema.keys,
                    threshold=study.model.threshold,
                    most=params.reasons,
                ),
            )


def _names(table: pa.Table, places: Sequence[int], *, keys: Sequence[str]) -> list[str]:
    rows = table.select(list(keys)).take(pa.array(places, pa.int64())).to_pylist()
    return [", ".join(f"{key} {value}" for key, value in row.items()) for row in rows]
