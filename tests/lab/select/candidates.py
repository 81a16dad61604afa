"""Make trained candidates of a given skill, as the stage train writes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lab.core.result_files import write_json
from lab.core.tables import write_table
from lab.model_files.manifest import (
    LEARNING_CURVE,
    OUT_OF_FOLD,
    PIPELINE,
    SEARCH,
    FoldSize,
    Manifest,
    TrainingRows,
    write_manifest,
)
from lab.model_files.specification import Specification
from lab.select.trained import Candidate, LearningPoint, Search
from tests.tables import schema_of

ROWS, FOLDS = 400, 4
RNG = np.random.default_rng(6)
LABELS = (RNG.random(ROWS) < 0.4).astype(np.int8)
NOISE = RNG.normal(size=ROWS)
NOTHING_SEARCHED: Mapping[str, Any] = {
    "method": "none",
    "by": "roc_auc",
    "budget": 60,
    "fits": 0,
    "reason": "no search: the settings are as given",
    "trials": [],
    "importance": {},
}
SEARCHED: Mapping[str, Any] = {
    "method": "halving",
    "by": "roc_auc",
    "budget": 20,
    "fits": 9,
    "reason": "halving: 1 setting on 1 fold, 2 on 4",
    "trials": [
        {"number": 1, "settings": {"trees": 10}, "score": 0.70, "folds": 4, "best": 0.70},
        {"number": 2, "settings": {"trees": 20}, "score": 0.72, "folds": 1, "best": 0.70},
        {"number": 3, "settings": {"trees": 30}, "score": None, "folds": 0, "best": 0.70},
        {"number": 4, "settings": {"trees": 40}, "score": 0.75, "folds": 4, "best": 0.75},
    ],
    "importance": {"depth": 0.25, "trees": 0.75},
}
CURVE = (
    {"share": 0.5, "rows": 50.0, "train_score": 0.9, "score": 0.70, "low": 0.6, "high": 0.8},
    {"share": 1.0, "rows": 100.0, "train_score": 0.8, "score": 0.75, "low": 0.7, "high": 0.8},
)


def scores_of(skill: float, *, noise: float = 0.0, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return scores of a model with this skill; all models share one error, `noise` adds an independent one."""
    own = np.random.default_rng([9, seed]).normal(0, 1, ROWS) * noise
    return np.asarray(1 / (1 + np.exp(-(skill * (LABELS - 0.4) + NOISE + own)))).round(6)


def candidate(
    name: str,
    *,
    skill: float,
    noise: float = 0.0,
    seed: int = 0,
    threshold: float = 0.5,
    search: Mapping[str, Any] = NOTHING_SEARCHED,
) -> Candidate:
    """Return a candidate whose model has the skill; equal seeds have equal noise."""
    table = pa.table(
        {
            "customer_id": np.arange(ROWS),
            "label": LABELS,
            "fold": pa.array(np.repeat(np.arange(1, FOLDS + 1), ROWS // FOLDS).astype(np.int8)),
            "score": scores_of(skill, noise=noise, seed=seed),
        }
    )
    manifest = Manifest(
        specification=Specification(estimator="dummy", settings={"trees": 40}),
        inputs=schema_of("stratified"),
        threshold=threshold,
        threshold_rule="fixed",
        training=TrainingRows(
            rows=ROWS, positives=int(LABELS.sum()), first_moment=None, last_moment=None, fingerprint="?"
        ),
        folds=(FoldSize(train=300, validation=100),) * FOLDS,
    )
    learning = tuple(LearningPoint.model_validate(point) for point in CURVE)
    return Candidate(name, manifest, table, Search.model_validate(search), learning)


def store(folder: Path, *candidates: Candidate) -> None:
    """Write candidates as the stage train does."""
    for each in candidates:
        (folder / each.name).mkdir(parents=True)
        write_table(each.out_of_fold, folder / each.name / OUT_OF_FOLD)
        write_json(each.search.model_dump(), folder / each.name / SEARCH)
        write_json([point.model_dump() for point in each.learning], folder / each.name / LEARNING_CURVE)
        (folder / each.name / PIPELINE).write_bytes(b"?")
        write_manifest(each.manifest, folder / each.name)
