"""A small world of rows, scores and labels, to fit and compare."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from ruamel.yaml import YAML

from lab.core.params import parse
from lab.core.result_files import write_json
from lab.core.schema import FeatureSchema
from lab.core.seeds import generator_of
from lab.drift.assess import Assessment, Context, assess
from lab.reference.fit import fit_reference
from lab.reference.reference import Reference
from lab.reference.settings import DriftParams
from tests.judged import KINDS, features_of, lay_out, predictions_of, schema

SETTINGS: dict[str, Any] = {
    "current": "data/features/current.parquet",
    "significance": 0.01,
    "material": {
        "kolmogorov_smirnov": 0.05,
        "wasserstein": 0.1,
        "population_stability": 0.1,
        "jensen_shannon": 0.1,
        "missing": 0.02,
        "tails": 0.005,
        "largest_change": 0.03,
        "unseen": 0.005,
    },
    "faults": {"rows": 0.2, "constant": 0.9, "unit": 0.4, "unreadable": 0.1, "seasonal": []},
    "performance_margin": 0.02,
    "reference": {"points": 10_000, "rows": 2000, "chunks": 10, "false_alarm_rate": 0.01, "trees": 20},
    "chunks": 8,
    "streams": {"slack": 0.1, "rows_per_false_alarm": 100_000, "confidence": 0.002},
    "policies": {
        "drifted_columns": {"limit": 0.3, "counts": True},
        "weighted_columns": {"limit": 0.3, "counts": True},
        "realised_performance": {"counts": True},
        "estimated_performance": {"counts": True},
        "age": {"limit": None, "counts": False},
        "naive_columns": {"limit": 0.3, "counts": False},
        "naive_performance": {"limit": 0.1, "counts": False},
        "naive_rolling_mean": {"limit": 0.1, "counts": False},
        "naive_mean_score": {"limit": 0.2, "counts": False},
    },
}
IMPORTANCE = dict.fromkeys(KINDS, 1.0)
FALSE_ALARMS: dict[str, Any] = {"conditions": {"runs": 100}, "rates": {}}


def settings(**changes: Any) -> DriftParams:
    """Return the settings of a test, with top-level sections replaced."""
    return parse({**SETTINGS, **changes}, kind=DriftParams, where="test", cure="")


def stamped(table: pa.Table, *, start: str, days: int) -> pa.Table:
    """Return rows with a moment of a day each, the days one after another."""
    places = np.arange(table.num_rows) * days // max(table.num_rows, 1)
    moments = np.datetime64(start, "us") + places.astype("timedelta64[D]")
    return table.append_column("moment", pa.array(moments, pa.timestamp("us")))


def rows_of(rng: np.random.Generator, rows: int, *, skill: float = 1.0) -> pa.Table:
    """Return features, labels and scores of rows of which no column depends on the batch."""
    features = features_of(rng, rows)
    scored = predictions_of(rng, features, champion=skill)
    for model in ("champion_score", "challenger_score"):
        features = features.append_column(model, scored[model])
    return features


def described(*, moment: bool = False) -> FeatureSchema:
    """Return the schema of the rows."""
    content = {**schema(), "moment": "moment" if moment else None}
    return FeatureSchema.model_validate(content)


def fitted(table: pa.Table, *, moment: bool = False, **changes: Any) -> Reference:
    """Return a reference fitted on rows."""
    return fit_reference(
        table,
        described(moment=moment),
        {"champion": 0.5, "challenger": 0.5},
        window="test",
        settings=settings(reference={**SETTINGS["reference"], **changes}).reference,
        stream_of=lambda name: generator_of(7, f"reference/{name}"),
    )


def judged(reference: Reference, batch: pa.Table, **changes: Any) -> Assessment:
    """Return the judgement of a batch."""
    context = Context(settings(**changes), IMPORTANCE, FALSE_ALARMS, lambda name: generator_of(7, f"drift/{name}"))
    return assess(reference, batch, context)


def changed(table: pa.Table, name: str, values: Any) -> pa.Table:
    """Return the table with other values in one column."""
    return table.set_column(table.column_names.index(name), name, pa.array(values, from_pandas=True))


def lay_out_drift(
    folder: Path,
    features: Mapping[str, pa.Table],
    predictions: Mapping[str, pa.Table],
    content: Mapping[str, Any] = SETTINGS,
) -> None:
    """Write everything that the stages reference and drift read."""
    lay_out(folder, features, predictions)
    with (folder / "params.yaml").open("w") as stream:
        YAML().dump({"seed": 7, "drift": content}, stream)
    lines = [{"feature": name, "mean_absolute_contribution": value} for name, value in IMPORTANCE.items()]
    write_json({"challenger": {"importance": lines}}, folder / "metrics/explain.json")
    write_json(FALSE_ALARMS, folder / "lab/drift/false_alarms.json")
