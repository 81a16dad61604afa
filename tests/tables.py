"""Make random feature tables as the stage featurize writes them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lab.core.result_files import write_json
from lab.core.schema import Feature, FeatureSchema, FoldRule
from lab.core.tables import write_table

FEATURES = {
    "amount": "number",  # continuous, a tenth is missing; the log-odds rise with it
    "constant": "number",  # never changes
    "empty": "number",  # always missing
    "noise": "number",  # says nothing
    "product": "category",  # sixty levels, most of them rare
    "region": "category",  # four levels and missing; the log-odds depend on it
    "senior": "boolean",  # a twentieth is missing; the log-odds rise with it
    "visits": "number",  # whole numbers; the log-odds fall with them
}
REGIONS = {"east": -0.6, "north": 0.6, "south": 0.0, "west": 0.2}
MOMENTS = {"train": ("2024-01-01", 12), "test": ("2025-03-01", 3), "current": ("2025-07-01", 3)}
SHARES = {"train": 1.0, "test": 0.4, "current": 0.4}
DAYS_BETWEEN = 30
HORIZON_DAYS = 60
RULES = {
    "time": FoldRule(kind="time", horizon_days=HORIZON_DAYS, reason="the future is predicted from the past"),
    "group": FoldRule(kind="group", group="customer_id", reason="rows of one customer are alike"),
    "stratified": FoldRule(kind="stratified", reason="rows have neither a moment nor a repeated unit"),
}


def make_features(folder: Path, *, rows: int = 600, seed: int = 1, folds: str = "time") -> FeatureSchema:
    """Write train (`rows` of them), test, current and schema.json into a folder, and return the schema.

    An honest ROC AUC is about 0.8. With folds `time` there are moments, with `group` and `stratified` there are none;
    with `stratified` a unit is one row, else a unit has several.
    """
    for number, (part, share) in enumerate(SHARES.items()):
        rng = np.random.default_rng([seed, number])
        write_table(feature_rows(rng, int(rows * share), part=part, folds=folds), folder / f"{part}.parquet")
    schema = schema_of(folds)
    write_json(schema.model_dump(mode="json"), folder / "schema.json")
    return schema


def schema_of(folds: str) -> FeatureSchema:
    """Return the schema of the tables."""
    return FeatureSchema(
        question="Will the customer leave?",
        unit=("row",) if folds == "group" else ("customer_id",),
        moment="moment" if folds == "time" else None,
        positive="Yes",
        groups=("gender",),
        features={name: Feature.model_validate({"kind": kind}) for name, kind in FEATURES.items()},
        folds=RULES[folds],
    )


def feature_rows(rng: np.random.Generator, rows: int, *, part: str = "train", folds: str = "time") -> pa.Table:
    """Return rows of one part, sorted by unit and moment."""
    values = _values(rng, rows)
    customers = np.arange(rows) if folds == "stratified" else np.arange(rows) // 3
    columns: dict[str, Any] = {"row": np.arange(rows)} if folds == "group" else {}
    columns["customer_id"] = customers
    if folds == "time":
        columns["moment"] = pa.array(_moments(customers, part), pa.timestamp("us"))
    return pa.table({**columns, **values})


def _moments(customers: np.ndarray[Any, Any], part: str) -> np.ndarray[Any, Any]:
    """Return a moment for each row; the three rows of a customer have different moments."""
    start, count = MOMENTS[part]
    stride = count // 3
    turn = np.arange(len(customers)) % 3
    days = (customers % stride + turn * stride) * DAYS_BETWEEN
    return np.datetime64(start, "us") + days.astype("timedelta64[D]")


def _values(rng: np.random.Generator, rows: int) -> dict[str, pa.Array]:
    amount, visits = rng.gamma(2.0, 40.0, rows).round(9), rng.poisson(4, rows)
    senior, region = rng.random(rows) < 0.25, rng.choice(list(REGIONS), rows)
    log_odds = 0.02 * (amount - 80) - 0.45 * (visits - 4) + 0.8 * senior + np.vectorize(REGIONS.get)(region) - 0.3
    levels = np.minimum(rng.geometric(0.06, rows), 60)
    return {
        "label": pa.array((rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)),
        "gender": pa.array(rng.choice(["female", "male"], rows)),
        "amount": pa.array(amount, mask=rng.random(rows) < 0.1),
        "constant": pa.array(np.ones(rows)),
        "empty": pa.nulls(rows, pa.float64()),
        "noise": pa.array(rng.normal(size=rows).round(9)),
        "product": pa.array([f"product {level:02d}" for level in levels]),
        "region": pa.array(region, mask=rng.random(rows) < 0.05),
        "senior": pa.array(senior, mask=rng.random(rows) < 0.05),
        "visits": pa.array(visits.astype(np.int64)),
    }
