"""Turn checked requests into columns, columns into scores, and scores into answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab.compiled.parts import Column
from serving.arms import CHALLENGER, CHAMPION, Lineup
from serving.models import Kind, Served


@dataclass(frozen=True)
class Rows:
    """Checked rows, column by column; units and moments are None where the request named none."""

    columns: Mapping[str, Sequence[Any]]
    units: Sequence[str | None]
    moments: Sequence[str | None]


@dataclass(frozen=True)
class Scored:
    """Which arm answers for each row, and each model's scores; in the shadow a model has scores and no arm."""

    arms: Sequence[str]
    by_arm: Mapping[str, Sequence[float]]
    scores: Sequence[float]
    positive: Sequence[bool]


def rows_of_one(row: Any) -> Rows:
    """Return one checked row."""
    return Rows(_columns([row.features]), [row.unit], [row.moment])


def rows_of_batch(batch: Any) -> Rows:
    """Return the rows of a checked batch, however it was written."""
    if batch.rows is not None:
        return Rows(
            _columns([row.features for row in batch.rows]),
            [row.unit for row in batch.rows],
            [row.moment for row in batch.rows],
        )
    columns = vars(batch.columns)
    nobody = [None] * len(next(iter(columns.values())))
    return Rows(columns, batch.units or nobody, batch.moments or nobody)


def scored(lineup: Lineup, rows: Rows) -> Scored:
    """Return the scores of rows, each by the model of its unit's arm; both models score all rows in the shadow."""
    arms = [lineup.arm_of(unit) for unit in rows.units]
    asked = {CHAMPION, CHALLENGER} if lineup.settings.shadow else set(arms)
    by_arm = {arm: scores_of(lineup.of(arm), rows.columns) for arm in sorted(asked)}
    scores = [by_arm[arm][place] for place, arm in enumerate(arms)]
    thresholds = {arm: lineup.of(arm).threshold for arm in asked}
    return Scored(arms, by_arm, scores, [score >= thresholds[arm] for arm, score in zip(arms, scores, strict=True)])


def scores_of(served: Served, columns: Mapping[str, Sequence[Any]]) -> list[float]:
    """Return the score of each row; a model takes its own features and leaves others unread."""
    scores: list[float] = served.compiled.scores(columns_for(served.features, columns)).tolist()
    return scores


def columns_for(features: Mapping[str, Kind], columns: Mapping[str, Sequence[Any]]) -> dict[str, Column]:
    """Return some features as a compiled model takes them."""
    return {name: _column(columns[name], kind) for name, kind in features.items()}


def _columns(rows: Sequence[Any]) -> dict[str, list[Any]]:
    return {name: [getattr(row, name) for row in rows] for name in vars(rows[0])}


def _column(values: Sequence[Any], kind: Kind) -> Column:
    """Return values as a model takes them: numbers and booleans as float64 with NaN for null, texts with None."""
    if kind != "category":
        return np.array(values, dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
