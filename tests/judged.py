"""Write feature tables, predictions and params for tests of later stages."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from ruamel.yaml import YAML

from lab.core.tables import write_table

WINDOWS = ("train", "test", "current")
ABTEST: dict[str, Any] = {
    "significance": 0.05,
    "resamples": 1000,
    "primary": "roc_auc",
    "margins": {
        "accuracy": 0.01,
        "brier": 0.005,
        "f1": 0.02,
        "log_loss": 0.01,
        "precision": 0.02,
        "recall": 0.02,
        "roc_auc": 0.01,
    },
}
KINDS = {"age": "number", "amount": "number", "region": "category", "senior": "boolean", "visits": "number"}


def features_of(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return feature rows with the same distribution in every window."""
    region = pa.array(rng.choice(["east", "north", "west"], rows), mask=rng.random(rows) < 0.05)
    return pa.table(
        {
            "customer_id": pa.array(np.arange(rows)),
            "label": pa.array((rng.random(rows) < 0.4).astype(np.int8)),
            "age": pa.array(rng.integers(18, 90, rows)),
            "amount": pa.array(rng.lognormal(3, 1, rows).round(9), mask=rng.random(rows) < 0.1),
            "region": region,
            "senior": pa.array(rng.random(rows) < 0.2),
            "visits": pa.array(rng.poisson(2, rows)),
            "gender": pa.array(rng.choice(["f", "m"], rows)),
        }
    )


def scores_of(rng: np.random.Generator, labels: pa.ChunkedArray, *, skill: float) -> np.ndarray[Any, Any]:
    """Return scores whose ranking improves with the skill."""
    log_odds = skill * (labels.to_numpy() - 0.4) + rng.normal(0, 1, len(labels))
    scores: np.ndarray[Any, Any] = (1 / (1 + np.exp(-log_odds))).round(6)
    return scores


def predictions_of(
    rng: np.random.Generator, features: pa.Table, *, champion: float = 1.0, challenger: float = 1.0
) -> pa.Table:
    """Return predictions of two models of the given skills with correlated errors."""
    shared = scores_of(rng, features["label"], skill=champion)
    own = scores_of(rng, features["label"], skill=challenger)
    return (
        features.select(["customer_id", "label", "gender"])
        .append_column("champion_score", [shared])
        .append_column("challenger_score", [own])
    )


def lay_out(
    folder: Path, features: Mapping[str, pa.Table], predictions: Mapping[str, pa.Table], *, log: str | None = None
) -> None:
    """Write the inputs of the stage abtest, and those that drift shares with it."""
    for name, table in features.items():
        write_table(table, folder / f"data/features/{name}.parquet")
    for name, table in predictions.items():
        write_table(table, folder / f"data/predictions/{name}.parquet")
    models = {model: {"threshold": 0.5} for model in ("champion", "challenger")}
    write_document(folder / "data/predictions/models.json", models)
    write_document(folder / "data/features/schema.json", schema())
    write_document(folder / "data/task/experiment.json", {"experiment": {"log": log}})
    with (folder / "params.yaml").open("w") as stream:
        YAML().dump({"seed": 7, "abtest": ABTEST}, stream)


def schema() -> dict[str, Any]:
    """Return the schema of the feature rows."""
    return {
        "question": "Will it happen?",
        "unit": ["customer_id"],
        "moment": None,
        "positive": "Yes",
        "groups": ["gender"],
        "features": {name: {"kind": kind} for name, kind in KINDS.items()},
        "folds": {"kind": "stratified", "reason": "no time"},
    }


def write_document(path: Path, content: object) -> None:
    """Write JSON, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
