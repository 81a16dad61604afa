"""Map each column of a fitted preprocessing to the feature that it comes from."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

Names = list[str]


def origins_of(steps: Any, features: Sequence[str]) -> Names | None:
    """Return the feature behind each column that fitted steps produce, in the order of the columns.

    None where a column comes from several features (products), or where a step is unknown.
    """
    known = (origins(steps, features) for kind, origins in ORIGINS if isinstance(steps, kind))
    return next(known, None)


def _through(pipeline: Pipeline, features: Sequence[str]) -> Names | None:
    names: Names | None = list(features)
    for _, step in pipeline.steps:
        if names is None:
            return None
        names = origins_of(step, names)
    return names


def _side_by_side(transformer: ColumnTransformer, features: Sequence[str]) -> Names | None:
    found: Names = []
    for name, step, columns in transformer.transformers_:
        if step == "drop" or not len(columns):
            continue
        if not all(isinstance(column, str) and column in features for column in columns):
            return None
        part = transformer.output_indices_[name]
        names = origins_of(step, list(columns))
        if names is None or part.start != len(found) or part.stop != len(found) + len(names):
            return None
        found += names
    return found


def _imputed(imputer: SimpleImputer, features: Sequence[str]) -> Names:
    known = ~np.array([isinstance(value, float) and np.isnan(value) for value in imputer.statistics_])
    kept = [name for name, has_values in zip(features, known, strict=True) if has_values or imputer.keep_empty_features]
    flagged = [features[place] for place in imputer.indicator_.features_] if imputer.add_indicator else []
    return [*kept, *flagged]


def _one_hot(encoder: OneHotEncoder, features: Sequence[str]) -> Names | None:
    if encoder.drop_idx_ is not None or getattr(encoder, "infrequent_categories_", None) is not None:
        return None
    return [name for name, levels in zip(features, encoder.categories_, strict=True) for _ in levels]


def _one_to_one(_step: Any, features: Sequence[str]) -> Names:
    return list(features)


def _passed_through(step: FunctionTransformer, features: Sequence[str]) -> Names | None:
    return list(features) if step.func is None else None


def _kept(selector: SelectorMixin, features: Sequence[str]) -> Names:
    return [name for name, kept in zip(features, selector.get_support(), strict=True) if kept]


ORIGINS: tuple[tuple[type[Any], Callable[[Any, Sequence[str]], Names | None]], ...] = (
    (Pipeline, _through),
    (ColumnTransformer, _side_by_side),
    (SimpleImputer, _imputed),
    (OneHotEncoder, _one_hot),
    (SelectorMixin, _kept),
    (FunctionTransformer, _passed_through),
    (OneToOneFeatureMixin, _one_to_one),
)
