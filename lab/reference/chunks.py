"""Monitor scores and performance over time against control limits of the reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.schema import FeatureSchema
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import score_column
from lab.reference.facts import ChunkFacts, ChunkLimit, ModelFacts
from lab.reference.performance import probabilities_of
from lab.reference.rows import labels_of, moments_of, scored_models
from lab.stats.core.areas import area_under_curve
from lab.stats.core.corrections import benjamini_hochberg
from lab.stats.core.probabilities import student_p_value
from lab.stats.shift.estimated_performance import estimate_area

Codes = NDArray[np.int64]

DEVIATIONS = 3
FEWEST_IN_TIME = 6  # chunks of time; with fewer, the standard deviation is too uncertain
FEWEST_ROWS = 20
FEWEST_KNOWN = 3


@dataclass(frozen=True)
class Chunk:
    """The indices of the rows of a period, and its first and last moment."""

    first: str
    last: str
    rows: Codes


def cut_by_time(table: pa.Table, schema: FeatureSchema, *, chunks: int) -> list[Chunk]:
    """Return one chunk per distinct moment if there are at most `chunks` of them, else periods of equal length.

    The list is empty for a table without moments or without rows.
    """
    moments = moments_of(table, schema)
    if moments is None or len(moments) == 0:
        return []
    distinct = np.unique(moments)
    if len(distinct) <= chunks:
        return [Chunk(_text(moment), _text(moment), np.flatnonzero(moments == moment)) for moment in distinct]
    span = distinct[-1] - distinct[0]
    edges = [distinct[0] + span * number // chunks for number in range(chunks + 1)]
    codes = np.minimum(np.searchsorted(np.array(edges), moments, side="right"), chunks) - 1
    return [
        Chunk(_text(start), _text(end), np.flatnonzero(codes == number))
        for number, (start, end) in enumerate(pairwise(edges))
    ]


def figures_of(table: pa.Table, models: Mapping[str, ModelFacts]) -> dict[str, float | None]:
    """Return the monitored figures: each model's mean score, estimated and realised ROC AUC."""
    labels = labels_of(table)
    known = ~np.isnan(labels)
    figures: dict[str, float | None] = {}
    for model in scored_models(table):
        scores = numbers_of(table[score_column(model)])
        enough = len(scores) >= FEWEST_ROWS
        both = len(np.unique(labels[known])) == 2 and int(known.sum()) >= FEWEST_ROWS
        figures[f"{model}_mean_score"] = float(scores.mean()) if enough else None
        figures[f"{model}_estimated_roc_auc"] = (
            estimate_area(scores, probabilities_of(models[model], scores)) if enough else None
        )
        figures[f"{model}_roc_auc"] = area_under_curve(labels[known], scores[known]).value if both else None
    return figures


def limits_of(
    table: pa.Table,
    schema: FeatureSchema,
    models: Mapping[str, ModelFacts],
    partitions: Sequence[Codes],
    *,
    chunks: int,
) -> ChunkFacts:
    """Return the control limits from chunks of time, or from random groups of rows when there are too few chunks.

    Random groups do not include the variation over time; `ChunkFacts.by` says which were used. They are drawn several
    times (`partitions`), because one draw gives too uncertain a standard deviation.
    """
    parts = [chunk.rows for chunk in cut_by_time(table, schema, chunks=chunks) if len(chunk.rows)]
    if len(parts) >= FEWEST_IN_TIME:
        cuts, by = [parts], "time"
    else:
        cuts, by = [[np.flatnonzero(groups == group) for group in range(chunks)] for groups in partitions], "chance"
    draws = [[figures_of(table.take(pa.array(rows)), models) for rows in parts] for parts in cuts]
    names = sorted({name for found in draws[0] for name in found})
    limits = {name: limit for name in names if (limit := _limit([[part[name] for part in draw] for draw in draws]))}
    return ChunkFacts(by=by, rows=table.num_rows / len(cuts[0]), limits=limits)


def check_chunks(
    found: Sequence[Mapping[str, float | None]], rows: Sequence[int], facts: ChunkFacts, *, significance: float
) -> list[list[dict[str, Any]]]:
    """Return, for each chunk, each figure with its limits and whether it raises an alarm.

    An alarm is a value more than three standard deviations out with a q-value below the significance: with many chunks,
    some are outside three deviations by chance.
    """
    checked = [
        [_checked(name, figures.get(name), count, limit, facts) for name, limit in facts.limits.items()]
        for figures, count in zip(found, rows, strict=True)
    ]
    tested = [line for lines in checked for line in lines if line["p_value"] is not None]
    for line, q_value in zip(tested, benjamini_hochberg([line["p_value"] for line in tested]), strict=True):
        line["q_value"] = q_value
        line["alarm"] = bool(q_value < significance and not line["low"] <= line["value"] <= line["high"])
    return checked


def _checked(name: str, value: float | None, rows: int, limit: ChunkLimit, facts: ChunkFacts) -> dict[str, Any]:
    line = {"figure": name, "value": value, "low": None, "high": None, "p_value": None, "q_value": None, "alarm": False}
    if rows == 0:
        return line
    ratio = facts.rows / rows if facts.by == "chance" else max(1.0, facts.rows / rows)
    deviation = limit.deviation * float(np.sqrt(ratio + 1 / limit.chunks))
    line |= {"low": limit.mean - DEVIATIONS * deviation, "high": limit.mean + DEVIATIONS * deviation}
    if value is not None and deviation > 0:
        line["p_value"] = student_p_value((value - limit.mean) / deviation, limit.degrees)
    return line


def _limit(draws: Sequence[Sequence[float | None]]) -> ChunkLimit | None:
    known = [np.array([value for value in draw if value is not None]) for draw in draws]
    if min(len(values) for values in known) < FEWEST_KNOWN:
        return None
    variance = float(np.mean([values.var(ddof=1) for values in known]))
    chunks = min(len(values) for values in known)
    return ChunkLimit(
        mean=float(np.mean([values.mean() for values in known])),
        deviation=float(np.sqrt(variance)),
        chunks=chunks,
        degrees=(chunks - 1) * len(draws),
    )


def _text(moment: np.datetime64) -> str:
    text = str(moment.astype("datetime64[s]"))
    return text.removesuffix("T00:00:00")
