"""Fit small models of every estimator and preparation on synthetic rows."""

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.pipeline import Pipeline

from lab.model_files.canonical import canonical_bytes
from lab.model_files.manifest import FoldSize, Manifest, TrainingRows
from lab.model_files.specification import Specification
from lab.models.frames import frame_of
from lab.models.models import Model
from lab.train.fitting import Plan, fit_pipeline
from tests.tables import feature_rows, schema_of

SCHEMA = schema_of("time")
ROWS = feature_rows(np.random.default_rng(1), 300)
OTHER_ROWS = feature_rows(np.random.default_rng(2), 120, part="test")
WHERE = "params.yaml: train.candidates.mine"

FEW_TREES = {"trees": 5}
MEMBERS: dict[str, dict[str, Any]] = {
    "boosting": {"estimator": "histogram_gradient_boosting", "settings": FEW_TREES, "features": ["amount", "visits"]},
    "forest": {"estimator": "random_forest", "settings": FEW_TREES},
    "logistic": {"estimator": "logistic_regression", "preparation": {"keep": {"by": "anova", "count": 5}}},
    "vectors": {"estimator": "support_vector_machine"},
}
SMALL: dict[str, dict[str, Any]] = {
    "ada_boost": FEW_TREES,
    "decision_tree": {},
    "dummy": {},
    "extra_trees": FEW_TREES,
    "gradient_boosting": FEW_TREES,
    "histogram_gradient_boosting": FEW_TREES,
    "logistic_regression": {},
    "multilayer_perceptron": {"neurons": 4, "epochs": 40},
    "naive_bayes": {},
    "nearest_neighbours": {"neighbours": 7},
    "random_forest": FEW_TREES,
    "stacking": {"members": MEMBERS},
    "support_vector_machine": {},
    "voting": {"members": MEMBERS},
}
PREPARED: dict[str, dict[str, Any]] = {
    "balanced": {"class_weights": "balanced"},
    "kept_by_anova": {"preparation": {"keep": {"by": "anova", "count": 4}}},
    "kept_by_model": {"preparation": {"keep": {"by": "model", "count": 4}}},
    "kept_by_mutual_information": {"preparation": {"keep": {"by": "mutual_information", "count": 4}}},
    "multiplied": {"preparation": {"polynomial_degree": 2}},
    "one_hot": {"preparation": {"one_hot_up_to": 100}},
    "ordinal": {"preparation": {"many_levels": "ordinal", "one_hot_up_to": 2}},
}
VARIANTS: dict[str, dict[str, Any]] = {
    **{name: {"estimator": name, "settings": settings} for name, settings in SMALL.items()},
    **{
        f"{estimator}, {name}": {"estimator": estimator, "settings": SMALL[estimator], **more}
        for name, more in PREPARED.items()
        for estimator in ("histogram_gradient_boosting", "logistic_regression")
    },
    "random_forest, multiplied": {"estimator": "random_forest", "settings": FEW_TREES, **PREPARED["multiplied"]},
}


def fit(rows: pa.Table = ROWS, *, seed: int = 11, **specification: Any) -> Pipeline:
    """Return a pipeline that is fitted on rows."""
    plan = Plan(Specification.model_validate(specification), SCHEMA.features, seed, WHERE)
    return fit_pipeline(plan, frame_of(rows, SCHEMA.features), rows["label"].to_numpy().astype(np.int8))


@cache
def fitted(variant: str) -> Pipeline:
    return fit(**VARIANTS[variant])


@cache
def bytes_of(variant: str) -> bytes:
    """Return the canonical form of a fitted variant."""
    return canonical_bytes(fitted(variant))


def model_of(variant: str) -> Model:
    """Return a fitted variant with a minimal manifest."""
    manifest = Manifest(
        specification=Specification.model_validate(VARIANTS[variant]),
        inputs=SCHEMA,
        threshold=0.5,
        threshold_rule="fixed",
        training=TrainingRows(rows=300, positives=1, first_moment=None, last_moment=None, fingerprint=""),
        folds=(FoldSize(train=1, validation=1),),
    )
    return Model(fitted(variant), manifest)
