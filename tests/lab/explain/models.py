"""Two models fitted on simulated feature tables, and the settings to explain them."""

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from lab.explain.settings import ExplainParams
from lab.model_files.manifest import Manifest, TrainingRows
from lab.model_files.specification import Specification
from lab.models.frames import frame_of
from lab.models.models import Model
from lab.predictions.columns import numbers_of
from lab.train.fitting import Plan, fit_pipeline
from tests.tables import feature_rows, schema_of

SCHEMA = schema_of("time")
TABLES = {
    part: feature_rows(np.random.default_rng([1, number]), rows, part=part)
    for number, (part, rows) in enumerate({"train": 400, "test": 160, "current": 160}.items())
}
PARAMS: dict[str, Any] = {
    "reference_rows": 200,
    "walks": 6,
    "rows": {"exact": 1000, "tree_steps": 1_000_000_000, "permutation": 20},
    "shuffles": {"features": 40, "repeats": 2, "rows": 1000, "correlated_above": 0.7},
    "dependence": {"features": 3, "points": 6, "rows": 50},
    "features_shown": 5,
    "reasons": 3,
}


def params(**changed: Any) -> ExplainParams:
    return ExplainParams.model_validate({**PARAMS, **changed})


def settings(name: str, **changed: Any) -> dict[str, Any]:
    """Return one section of the settings with some values changed."""
    return {name: {**PARAMS[name], **changed}}


@cache
def model(estimator: str = "histogram_gradient_boosting", *, without: str = "") -> Model:
    """Return a model that decides at one half, and that may know one feature less."""
    features = {name: kind for name, kind in SCHEMA.features.items() if name != without}
    own: dict[str, Any] = {"trees": 8} if estimator != "logistic_regression" else {}
    specification = Specification(estimator=estimator, settings=own)
    rows = TABLES["train"]
    labels = numbers_of(rows["label"]).astype(np.int8)
    plan = Plan(specification, features, seed=1, where="here")
    training = TrainingRows(rows=400, positives=int(labels.sum()), first_moment=None, last_moment=None, fingerprint="0")
    inputs = SCHEMA.model_copy(update={"features": features})
    manifest = Manifest(
        specification=specification, inputs=inputs, threshold=0.5, threshold_rule="fixed", training=training, folds=()
    )
    return Model(fit_pipeline(plan, frame_of(rows, features), labels), manifest)


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    """Return the table with other values in one column, of the same type."""
    place = table.column_names.index(name)
    return table.set_column(place, name, pa.array(values, table.schema.field(name).type))
