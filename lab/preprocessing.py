"""Prepare features for an estimator inside its own pipeline, so that serving cannot differ from training."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from lab.errors import SourceError
from lab.schema import Feature

MOST_LEVELS_ONE_HOT = 20
MOST_ENCODING_FOLDS = 5
Numbers = Literal["scaled", "imputed", "as_they_are"]


def build_preprocessing(
    frame: pd.DataFrame,
    labels: NDArray[np.int8],
    features: Mapping[str, Feature],
    *,
    numbers: Numbers,
    seed: int,
) -> ColumnTransformer:
    """Return the unfitted steps before an estimator; the frame, which only decides by how many levels, is training's.

    Numbers and booleans: the median for what is missing, and a column that says so. Categories: one column a level up
    to 20 levels, else the share of positives among the level's training rows (each row's own label is left out of its
    own share by cross-fitting). Missing is a level; a level never seen is no level, or the share of all rows. A feature
    that is missing in every row teaches nothing and is left out.
    """
    known = [name for name in sorted(features) if frame[name].notna().any()]
    if not known:
        raise SourceError(f"every feature of {sorted(features)} is missing in all rows. Cure: bring columns that vary.")
    numeric = [name for name in known if features[name].kind != "category"]
    levels = {name: frame[name].nunique(dropna=False) for name in known if name not in numeric}
    few = [name for name, count in levels.items() if count <= MOST_LEVELS_ONE_HOT]
    many = [name for name, count in levels.items() if count > MOST_LEVELS_ONE_HOT]
    steps: Sequence[tuple[str, Any, list[str]]] = [
        ("numbers", _number_steps(numbers), numeric),
        ("few_levels", OneHotEncoder(handle_unknown="ignore", sparse_output=False), few),
        ("many_levels", _many_steps(labels, scaled=numbers == "scaled", seed=seed), many),
    ]
    return ColumnTransformer([step for step in steps if step[2]])


def _number_steps(numbers: Numbers) -> Any:
    if numbers == "as_they_are":
        return "passthrough"
    impute = SimpleImputer(strategy="median", add_indicator=True)
    return Pipeline([("impute", impute), ("scale", StandardScaler())]) if numbers == "scaled" else impute


def _many_steps(labels: NDArray[np.int8], *, scaled: bool, seed: int) -> Any:
    rarest = int(np.bincount(labels, minlength=2).min())
    folds = StratifiedKFold(min(MOST_ENCODING_FOLDS, max(2, rarest)), shuffle=True, random_state=seed)
    encode = TargetEncoder(target_type="binary", cv=folds)
    return Pipeline([("encode", encode), ("scale", StandardScaler())]) if scaled else encode
