"""A small frame with every kind of column, its labels, and pipelines fitted on it."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from lab.core.schema import Feature

FEATURES = {
    name: Feature.model_validate({"kind": kind})
    for name, kind in {"age": "number", "city": "category", "member": "boolean", "spend": "number"}.items()
}


def drawn(rows: int = 300, *, seed: int = 0) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Return rows as `frame_of` makes them: age, city (missing for some), member, spend (missing for some)."""
    rng = np.random.default_rng(seed)
    age, spend = rng.normal(40, 10, rows).round(3), rng.gamma(2, 30, rows).round(3)
    member, city = rng.integers(0, 2, rows).astype(float), rng.choice(["ulm", "bonn", "kiel"], rows)
    log_odds = 0.08 * (age - 40) + 0.9 * member * (city == "ulm") - 0.02 * (spend - 60)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    spend[rng.random(rows) < 0.15] = np.nan
    gaps = rng.random(rows) < 0.1
    cities = pd.Series([None if gap else name for name, gap in zip(city, gaps, strict=True)], dtype=object)
    return pd.DataFrame({"age": age, "city": cities, "member": member, "spend": spend}), labels


def prepared(numbers: Any, *, target: bool = False) -> ColumnTransformer:
    """Return the preparing step: numbers by the given step, the city one-hot or by its share of positives."""
    encode = (
        TargetEncoder(target_type="binary", cv=StratifiedKFold(3)) if target else OneHotEncoder(sparse_output=False)
    )
    return ColumnTransformer([("numbers", numbers, ["age", "member", "spend"]), ("cities", encode, ["city"])])


def imputing() -> SimpleImputer:
    return SimpleImputer(strategy="median", add_indicator=True)


def scaling() -> Pipeline:
    return Pipeline([("impute", imputing()), ("scale", StandardScaler())])


def fitted(numbers: Any, estimator: Any, *, target: bool = False, between: Any = None) -> Pipeline:
    """Return a pipeline fitted on the drawn rows."""
    frame, labels = drawn()
    steps = [("prepare", prepared(numbers, target=target)), *([("keep", between)] if between else [])]
    pipeline = Pipeline([*steps, ("estimate", estimator)])
    return pipeline.fit(frame, labels)
