"""Prepare the explanations of scores as the stage explain does."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from lab.compiled.wording import Reason, ReferenceValues
from lab.core.schema import Feature
from lab.core.seeds import generator_of
from lab.explain.contributions import Explainer, contributions_of, explainer_of
from lab.explain.reasons import reasons_of, reference_values_of, rows_of
from lab.models.frames import frame_of
from lab.models.models import Model
from lab.task.words import FeatureWords

WALKS = "explain/walks"  # the stream from which the stage draws its walks


@dataclass(frozen=True)
class Reasoning:
    """Everything that explanations need; built once a model, because reading trees is slow."""

    model: Model
    explainer: Explainer
    features: Mapping[str, Feature]
    words: Mapping[str, FeatureWords]
    usual: Mapping[str, ReferenceValues]


def reasoning_of(
    model: Model,
    reference: pa.Table,
    features: Mapping[str, Feature],
    words: Mapping[str, FeatureWords],
    *,
    walks: int,
    seed: int,
) -> Reasoning:
    """Return what explains a model's scores.

    `reference` is data/explanations/reference.parquet, `features` are those of the feature tables, and walks and seed
    those of params.yaml, so that a row gets the same reasons as in the stage.
    """
    frame = frame_of(reference, features)
    explainer = explainer_of(model.pipeline, frame[sorted(model.features)], walks=walks, rng=generator_of(seed, WALKS))
    return Reasoning(model, explainer, features, words, reference_values_of(frame, features))


def reasons_for(reasoning: Reasoning, rows: pa.Table, *, most: int) -> list[list[Reason]]:
    """Return each row's reasons, strongest first; rows need the model's features, other columns only for wording."""
    own = reasoning.model.features
    known = {name: kind for name, kind in reasoning.features.items() if name in own or name in rows.column_names}
    frame = frame_of(rows, known)
    contributions = contributions_of(reasoning.explainer, frame[sorted(own)])
    return reasons_of(contributions, rows_of(frame), reasoning.words, reasoning.usual, most=most)
