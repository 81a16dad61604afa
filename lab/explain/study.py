"""Explain one model: contributions, permutation importance, partial dependence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.core.schema import Feature
from lab.explain.contributions import Contributions, Explainer, contributions_of, explainer_of
from lab.explain.dependence import Dependence, GridPoint, dependence_of, grid_of
from lab.explain.settings import ExplainParams, RowLimits
from lab.explain.shuffles import Shuffled, losses_of
from lab.models.models import Model
from lab.models.scoring import score_frame
from lab.predictions.units import Codes

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]
Streams = Callable[[str], np.random.Generator]


@dataclass(frozen=True)
class ExplainedRows:
    """Rows of a window with their contributions: their indices, and the number of rows of the window."""

    places: Places
    rows: int
    contributions: Contributions


@dataclass(frozen=True)
class Study:
    """The results for one model; `importance` is the mean absolute contribution, the largest first."""

    model: Model
    explainer: Explainer
    scores: dict[str, Numbers]
    explained: dict[str, ExplainedRows]
    importance: dict[str, float]
    shuffled: list[Shuffled]
    shuffled_groups: list[Shuffled]


def study_model(
    model: Model,
    frames: Mapping[str, pd.DataFrame],
    labels: NDArray[np.bool_],
    units: Codes | None,
    groups: Sequence[tuple[str, ...]],
    *,
    params: ExplainParams,
    stream_of: Streams,
) -> Study:
    """Return the study of a model on the frame `test` with these labels and units.

    `reference` represents the training rows. Of `test` a random sample is explained, of `current` the rows with the
    highest scores, up to the limits of the params.
    """
    own = {name: frame[sorted(model.features)] for name, frame in frames.items()}
    explainer = explainer_of(model.pipeline, own["reference"], walks=params.walks, rng=stream_of("walks"))
    most = rows_allowed(explainer, params.rows)
    scores = {name: score_frame(model.pipeline, own[name]) for name in ("test", "current")}
    places = {
        "test": sample_places(len(labels), most, rng=stream_of("sample")),
        "current": highest_places(scores["current"], most),
    }
    explained = {name: _explained(explainer, own[name], places[name]) for name in places}
    sample = sample_places(len(labels), params.shuffles.rows, rng=stream_of("shuffled"))
    lose = partial(
        losses_of,
        model.pipeline,
        own["test"].iloc[sample].reset_index(drop=True),
        labels[sample],
        units=None if units is None else units[sample],
        repeats=params.shuffles.repeats,
        stream_of=stream_of,
    )
    importance = importance_of(explained["test"].contributions)
    kept = sorted(list(importance or sorted(model.features))[: params.shuffles.features])
    return Study(
        model,
        explainer,
        scores,
        explained,
        importance,
        lose([(name,) for name in kept]),
        lose([part for group in groups if (part := tuple(name for name in group if name in kept)) and len(part) > 1]),
    )


def rows_allowed(explainer: Explainer, limits: RowLimits) -> int:
    """Return the maximum number of explained rows of a window."""
    if explainer.method == "permutation":
        return limits.permutation
    return max(1, min(limits.exact, limits.tree_steps // max(1, explainer.steps)))


def sample_places(rows: int, most: int, *, rng: np.random.Generator) -> Places:
    """Return the indices of a random sample in their order, or all indices when there are no more."""
    drawn = np.arange(rows) if rows <= most else np.sort(rng.choice(rows, size=most, replace=False))
    return np.asarray(drawn, dtype=np.intp)


def highest_places(scores: Numbers, most: int) -> Places:
    """Return the indices of the highest scores in their order; of ties the first rows."""
    return np.sort(np.argsort(-scores, kind="stable")[:most])


def importance_of(contributions: Contributions) -> dict[str, float]:
    """Return the mean absolute contribution of each feature, the largest first; empty without rows."""
    if not len(contributions.values):
        return {}
    means = np.abs(contributions.values).mean(axis=0).round(9).tolist()
    return dict(sorted(zip(contributions.features, means, strict=True), key=lambda item: (-item[1], item[0])))


def dependences_of(
    study: Study, frame: pd.DataFrame, grids: Mapping[str, tuple[GridPoint, ...]]
) -> dict[str, Dependence]:
    """Return the partial dependence of a model on each of its features that has a grid."""
    own = frame[sorted(study.model.features)]
    return {
        name: dependence_of(lambda rows: score_frame(study.model.pipeline, rows), own, name, grid)
        for name, grid in grids.items()
        if name in study.model.features and not own.empty
    }


def grids_of(
    reference: pd.DataFrame, names: Sequence[str], features: Mapping[str, Feature], *, most: int
) -> dict[str, tuple[GridPoint, ...]]:
    """Return the grids of features, without empty ones; densities are those of the reference rows."""
    grids = {name: grid_of(reference[name], features[name], most=most) for name in names}
    return {name: grid for name, grid in grids.items() if grid}


def _explained(explainer: Explainer, frame: pd.DataFrame, places: Places) -> ExplainedRows:
    return ExplainedRows(places, len(frame), contributions_of(explainer, frame.iloc[places]))
