"""The models that all contenders serve, and the rows that they are asked about."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.serving_rivals.environments import ROOT
from benchmarks.serving_rivals.forms import plain_rows
from lab.compile.write import save_both_forms
from lab.core.schema import FEATURES, Feature, FeatureSchema, FoldRule
from lab.core.tables import read_table
from lab.model_files.manifest import FoldSize, Manifest, TrainingRows
from lab.model_files.specification import Specification
from lab.models.frames import frame_of
from lab.models.models import CHAMPION, Model, load_model
from lab.train.fitting import Plan, fit_pipeline

NUMBERS, BOOLEANS, CATEGORIES = 12, 2, 6
LEVELS = (3, 4, 5, 8, 12, 20)
TRAINED, TESTED = 10_000, 2_000
TREES = 150
MISSING = 0.05


@dataclass(frozen=True)
class Prepared:
    """A model in the form that each contender reads, the rows of its test, and what its pipeline says of them.

    It says it of all rows at once and of each alone: a linear model's sums differ in their last bit between the two.
    """

    name: str
    compiled: Path
    pipeline: Path
    features: dict[str, Feature]
    frame: pd.DataFrame
    together: NDArray[np.float64]
    alone: NDArray[np.float64]

    def rows(self, *, switches: bool) -> list[dict[str, Any]]:
        """Return the test rows for JSON: as the pipeline's frame has them, or with booleans for what is one."""
        rows = plain_rows(self.frame)
        if not switches:
            return rows
        named = {name for name, feature in self.features.items() if feature.kind == "boolean"}
        return [
            {name: bool(value) if name in named and value is not None else value for name, value in row.items()}
            for row in rows
        ]


def shipped(folder: Path) -> Prepared:
    """Return the champion of HEAD, packed as it is deployed, with the test rows of its task."""
    model = load_model(ROOT / CHAMPION)
    command = [sys.executable, "-m", "ops", "pack", "--output", str(folder / "champion")]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    table = read_table(ROOT / FEATURES / "test.parquet")
    return _prepared("champion", folder / "champion", model, table, folder)


def drawn(folder: Path) -> Prepared:
    """Return one-hot encoding and histogram boosting, fitted on drawn rows of 20 columns with gaps."""
    rng = np.random.default_rng(6)
    train, test = _table(rng, TRAINED), _table(rng, TESTED)
    model = _fitted(train)
    compiled = folder / "boosting"
    compiled.mkdir()
    save_both_forms(model, train, compiled)
    return _prepared("boosting", compiled, model, test, folder)


def _prepared(name: str, compiled: Path, model: Model, table: pa.Table, folder: Path) -> Prepared:
    features = dict(sorted(model.features.items()))
    frame = frame_of(table, features)
    pipeline = folder / f"{name}-pipeline"
    pipeline.mkdir()
    joblib.dump(model.pipeline, pipeline / "pipeline.joblib")
    frame.to_json(pipeline / "rows.json", orient="split", double_precision=15)
    kinds = {name: "category" if feature.kind == "category" else "number" for name, feature in features.items()}
    (pipeline / "kinds.json").write_text(json.dumps(kinds))
    together, *alone = (
        model.pipeline.predict_proba(asked)[:, 1]
        for asked in (frame, *(frame.iloc[[place]] for place in range(len(frame))))
    )
    return Prepared(name, compiled, pipeline, features, frame, together, np.concatenate(alone))


def _table(rng: np.random.Generator, rows: int) -> pa.Table:
    numbers = rng.normal(size=(rows, NUMBERS))
    switches = rng.random((rows, BOOLEANS)) < 0.4
    places = [rng.integers(count, size=rows) for count in LEVELS]
    odds = numbers[:, 0] - numbers[:, 1] * numbers[:, 2] + switches[:, 0] + np.sin(places[3]) + places[0] - 1
    columns: dict[str, Any] = {f"number_{place:02}": _gaps(rng, numbers[:, place]) for place in range(NUMBERS)}
    columns |= {f"switch_{place}": pa.array(switches[:, place]) for place in range(BOOLEANS)}
    columns |= {
        f"category_{place}": pa.array([f"level {code}" for code in codes], mask=rng.random(rows) < MISSING)
        for place, codes in enumerate(places)
    }
    return pa.table({**columns, "label": (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8)})


def _gaps(rng: np.random.Generator, values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, mask=rng.random(len(values)) < MISSING)


def _fitted(train: pa.Table) -> Model:
    kinds = {"number": "number", "switch": "boolean", "category": "category"}
    features = {
        name: Feature.model_validate({"kind": kinds[name.split("_")[0]]})
        for name in train.column_names
        if name != "label"
    }
    specification = Specification(estimator="histogram_gradient_boosting", settings={"trees": TREES})
    labels = train["label"].to_numpy()
    pipeline = fit_pipeline(Plan(specification, features, 6, "the benchmark"), frame_of(train, features), labels)
    schema = FeatureSchema(
        question="Is it positive?", unit=("row",), moment=None, positive=1, groups=(), features=features,
        folds=FoldRule(kind="stratified", reason="rows are drawn one by one"),
    )  # fmt: skip
    training = TrainingRows(
        rows=len(labels), positives=int(labels.sum()), first_moment=None, last_moment=None, fingerprint=""
    )
    manifest = Manifest(
        specification=specification, inputs=schema, threshold=0.5, threshold_rule="fixed",
        training=training, folds=(FoldSize(train=1, validation=1),),
    )  # fmt: skip
    return Model(pipeline, manifest)
