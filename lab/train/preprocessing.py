"""Preprocessing of features as steps of the pipeline, so that serving equals training."""

from collections.abc import Mapping
from math import comb
from typing import Any, Literal

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PolynomialFeatures, StandardScaler, TargetEncoder

from lab.core.errors import ParamsError, SourceError
from lab.core.schema import Feature
from lab.model_files.specification import Preparation
from lab.models.selection import KeepBest

MOST_ENCODING_FOLDS = 5
# The shrinkage of target encoding: this number of prior rows has the overall share of positives.
ROWS_OF_PRIOR = 10.0
MOST_COLUMNS = 2_000
NEVER_SEEN = -1
Numbers = Literal["scaled", "imputed", "as_they_are"]
Step = tuple[str, Any]


def build_steps(
    frame: pd.DataFrame,
    features: Mapping[str, Feature],
    preparation: Preparation,
    *,
    numbers: Numbers,
    rarest: int,
    seed: int,
    where: str,
) -> list[Step]:
    """Return the unfitted steps before an estimator; they depend on the levels of the frame and on the rarer class.

    Products and selection of columns need numbers without missing values, so they are imputed for every estimator.
    """
    plain = preparation.polynomial_degree == 1 and preparation.keep is None
    wanted = "imputed" if numbers == "as_they_are" and not plain else numbers
    columns = build_columns(frame, features, preparation, numbers=wanted, rarest=rarest, seed=seed, where=where)
    if preparation.keep is None:
        return [("prepare", columns)]
    return [("prepare", columns), ("keep", KeepBest(preparation.keep.by, preparation.keep.count, seed))]


def build_columns(
    frame: pd.DataFrame,
    features: Mapping[str, Feature],
    preparation: Preparation,
    *,
    numbers: Numbers,
    rarest: int,
    seed: int,
    where: str,
) -> ColumnTransformer:
    """Return the unfitted step that turns features into columns.

    Numbers and booleans: median imputation with an indicator, and products if requested. Categories: one-hot encoding
    up to a number of levels; with more, one column: the cross-fitted share of positives of the level (target encoding),
    or the level's ordinal. Missing is the last level; an unseen level has zeros, the overall share, or −1. A feature
    that is missing in every row is left out.
    """
    known = [name for name in sorted(features) if frame[name].notna().any()]
    if not known:
        raise SourceError(f"every feature of {sorted(features)} is missing in all rows. Cure: add columns that vary.")
    numeric = [name for name in known if features[name].kind != "category"]
    levels = {name: frame[name].nunique(dropna=False) for name in known if name not in numeric}
    few = [name for name, count in levels.items() if count <= preparation.one_hot_up_to]
    many = [name for name, count in levels.items() if count > preparation.one_hot_up_to]
    _check_levels({name: levels[name] for name in few}, where=where)
    steps: list[tuple[str, Any, list[str]]] = [
        ("numbers", _number_steps(numbers, preparation, len(numeric), where=where), numeric),
        ("gaps", MissingIndicator(error_on_new=False), numeric if preparation.polynomial_degree > 1 else []),
        ("few_levels", OneHotEncoder(handle_unknown="ignore", sparse_output=False), few),
        ("many_levels", _many_steps(preparation, rarest, scaled=numbers == "scaled", seed=seed), many),
    ]
    return ColumnTransformer([step for step in steps if step[2]])


def _check_levels(levels: Mapping[str, int], *, where: str) -> None:
    if wide := {name: count for name, count in levels.items() if count > MOST_COLUMNS}:
        raise ParamsError(
            f"{where}.preparation.one_hot_up_to creates a column for each level of a feature: {wide}, "
            f"expected at most {MOST_COLUMNS:,}. Cure: set a lower number; more levels are then target-encoded."
        )


def _number_steps(numbers: Numbers, preparation: Preparation, count: int, *, where: str) -> Any:
    if numbers == "as_they_are":
        return "passthrough"
    products = preparation.polynomial_degree > 1
    # A column with few values may be empty in an inner fold.
    steps: list[Step] = [
        ("impute", SimpleImputer(strategy="median", add_indicator=not products, keep_empty_features=True))
    ]
    if products:
        steps += [("level", StandardScaler()), ("multiply", _products(preparation, count, where=where))]
    if numbers == "scaled":
        steps.append(("scale", StandardScaler()))
    return Pipeline(steps) if len(steps) > 1 else steps[0][1]


def _products(preparation: Preparation, count: int, *, where: str) -> PolynomialFeatures:
    degree, distinct = preparation.polynomial_degree, preparation.interactions_only
    made = sum(comb(count, size) if distinct else comb(count + size - 1, size) for size in range(1, degree + 1))
    if made > MOST_COLUMNS:
        raise ParamsError(
            f"{where}.preparation.polynomial_degree is {degree}, which creates {made:,} columns from {count} numbers, "
            f"expected at most {MOST_COLUMNS:,}. Cure: use a lower degree, interactions_only: true, or fewer features."
        )
    return PolynomialFeatures(degree, interaction_only=distinct, include_bias=False)


def _many_steps(preparation: Preparation, rarest: int, *, scaled: bool, seed: int) -> Any:
    encode = _ordinal() if preparation.many_levels == "ordinal" else _target(rarest, seed=seed)
    return Pipeline([("encode", encode), ("scale", StandardScaler())]) if scaled else encode


def _ordinal() -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=NEVER_SEEN)


def _target(rarest: int, *, seed: int) -> TargetEncoder:
    folds = StratifiedKFold(min(MOST_ENCODING_FOLDS, rarest), shuffle=True, random_state=seed)
    return TargetEncoder(target_type="binary", smooth=ROWS_OF_PRIOR, cv=folds)
