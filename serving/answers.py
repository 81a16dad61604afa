"""Score rows with the model of each arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab.compiled.parts import Column
from serving.arms import CHALLENGER, CHAMPION, Arms
from serving.models import Kind, LoadedModel
from serving.requests import Rows


@dataclass(frozen=True)
class Scored:
    """The arm and score of each row, and the scores by arm, which in shadow mode include the challenger's."""

    arms: Sequence[str]
    by_arm: Mapping[str, Sequence[float]]
    scores: Sequence[float]
    positive: Sequence[bool]


def score_arms(arms: Arms, rows: Rows) -> Scored:
    """Score each row with the model of its unit's arm; in shadow mode both models score all rows."""
    assigned = [arms.arm_of(unit) for unit in rows.units]
    scoring = {CHAMPION, CHALLENGER} if arms.settings.shadow else set(assigned)
    by_arm = {arm: scores_of(arms.model_of(arm), rows.columns) for arm in sorted(scoring)}
    scores = [by_arm[arm][place] for place, arm in enumerate(assigned)]
    thresholds = {arm: arms.model_of(arm).threshold for arm in scoring}
    positive = [score >= thresholds[arm] for arm, score in zip(assigned, scores, strict=True)]
    return Scored(assigned, by_arm, scores, positive)


def scores_of(model: LoadedModel, columns: Mapping[str, Sequence[Any]]) -> list[float]:
    """Return the score of each row; features that the model does not use are ignored."""
    scores: list[float] = model.compiled.scores(columns_for(model.features, columns)).tolist()
    return scores


def columns_for(features: Mapping[str, Kind], columns: Mapping[str, Sequence[Any]]) -> dict[str, Column]:
    """Return features in the types that a compiled model expects."""
    return {name: _column(columns[name], kind) for name, kind in features.items()}


def _column(values: Sequence[Any], kind: Kind) -> Column:
    """Return numbers and booleans as float64 with NaN for null, and texts as objects with None for null."""
    if kind != "category":
        return np.array(values, dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
