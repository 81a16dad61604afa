"""Compile the preprocessing of a pipeline into parts of a program."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
    TargetEncoder,
)

from lab.models.selection import KeepBest

Keep = Callable[[ArrayLike], str]
Part = dict[str, Any]


def prepared_part(pipeline: Pipeline, sample: pd.DataFrame, *, keep: Keep) -> Part:
    """Return the compiled preprocessing, with the memory layout of columns, on which sums depend."""
    columns = pipeline.named_steps["prepare"]
    blocks = [
        _block(step, list(names), keep=keep)
        for name, step, names in columns.transformers_
        if name != "remainder" and len(names)
    ]
    selection = pipeline.named_steps.get("keep")
    kept = keep(np.flatnonzero(selection.kept_)) if isinstance(selection, KeepBest) else None
    by_row = pipeline[:-1].transform(sample).flags.c_contiguous
    return {"blocks": blocks, "kept": kept, "order": "C" if by_row else "F"}


def _block(step: Any, features: list[str], *, keep: Keep) -> Part:
    steps = [inner for _, inner in step.steps] if isinstance(step, Pipeline) else [step]
    if isinstance(steps[0], MissingIndicator):
        return {"kind": "gaps", "features": features, "places": keep(steps[0].features_)}
    if isinstance(steps[0], OneHotEncoder):
        return {"kind": "few_levels", "features": features, "levels": _levels(steps[0])}
    if isinstance(steps[0], OrdinalEncoder | TargetEncoder):
        return _many_levels(steps, features, keep=keep)
    return {"kind": "numbers", "features": features, "steps": _steps(steps, keep=keep)}


def _many_levels(steps: list[Any], features: list[str], *, keep: Keep) -> Part:
    encoder = steps[0]
    shares = isinstance(encoder, TargetEncoder)
    encoded = encoder.encodings_ if shares else [np.arange(len(levels)) for levels in encoder.categories_]
    unknown = float(encoder.target_mean_ if shares else encoder.unknown_value)
    return {
        "kind": "many_levels",
        "features": features,
        "levels": _levels(encoder),
        "values": [keep(np.asarray(values, dtype=np.float64)) for values in encoded],
        "unknown": [unknown] * len(features),
        "steps": _steps(steps[1:], keep=keep),
    }


def _levels(encoder: Any) -> list[list[str | None]]:
    return [[None if level is None else str(level) for level in levels] for levels in encoder.categories_]


def _steps(steps: list[Any], *, keep: Keep) -> list[Part]:
    return [STEPS[type(step)](step, keep) for step in steps if not isinstance(step, FunctionTransformer)]


def _impute(step: SimpleImputer, keep: Keep) -> Part:
    indicators = None if step.indicator_ is None else keep(step.indicator_.features_)
    return {"kind": "impute", "medians": keep(step.statistics_), "indicators": indicators}


def _scale(step: StandardScaler, keep: Keep) -> Part:
    return {"kind": "scale", "means": keep(step.mean_), "spreads": keep(step.scale_)}


def _multiply(step: PolynomialFeatures, keep: Keep) -> Part:
    """Return the factors of each product, the last column first: so scikit-learn multiplies; −1 is no factor."""
    factors = [np.repeat(np.arange(len(powers)), powers)[::-1] for powers in step.powers_]
    table = np.full((len(factors), max(map(len, factors))), -1)
    for line, places in zip(table, factors, strict=True):
        line[: len(places)] = places
    return {"kind": "multiply", "factors": keep(table)}


STEPS: Mapping[type, Callable[[Any, Keep], Part]] = {
    PolynomialFeatures: _multiply,
    SimpleImputer: _impute,
    StandardScaler: _scale,
}
