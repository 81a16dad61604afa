"""SHAP values: the contribution of each feature to a row's score."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from lab.core.errors import ModelError
from lab.explain.origins import origins_of
from lab.explain.walks import frame_from, paths_of, walker_of
from lab.models.calibrated import CalibratedScores
from lab.models.scoring import POSITIVE

Numbers = NDArray[np.float64]
Method = Literal["tree_path_dependent", "linear", "permutation"]
Unit = Literal["log_odds", "probability"]

DECIMALS = 6
TOLERANCE = 1e-6
BOOSTED = (GradientBoostingClassifier, HistGradientBoostingClassifier)
AVERAGED = (DecisionTreeClassifier, ExtraTreesClassifier, RandomForestClassifier)


@dataclass(frozen=True)
class Explainer:
    """The explainer of one model: functions for contributions and output, and the base to which contributions add.

    `steps` is the work for a row of trees: leaves times squared depth; 0 for other models.
    """

    method: Method
    unit: Unit
    features: tuple[str, ...]
    base: float
    steps: int
    contribute: Callable[[pd.DataFrame], Numbers]
    output: Callable[[pd.DataFrame], Numbers]


@dataclass(frozen=True)
class Contributions:
    """The contribution of each feature (a column) in each row, rounded; base plus a row's sum is its output."""

    features: tuple[str, ...]
    values: Numbers
    base: float
    outputs: Numbers


def explainer_of(pipeline: Pipeline, reference: pd.DataFrame, *, walks: int, rng: np.random.Generator) -> Explainer:
    """Return the explainer of a fitted pipeline; contributions are relative to the reference rows.

    Linear models and trees are explained exactly, on the scale on which they add up; trees use the training rows at
    their nodes, not the reference. Any other model is explained by sampled permutations (walks from reference rows).
    """
    return _exact(pipeline, reference) or _walked(pipeline, reference, walks=walks, rng=rng)


def contributions_of(explainer: Explainer, frame: pd.DataFrame) -> Contributions:
    """Return the contributions of a frame's rows; rows do not influence one another.

    It is an error when base and contributions do not add up to the output of the model.
    """
    if frame.empty:
        return Contributions(explainer.features, np.empty((0, len(explainer.features))), explainer.base, np.empty(0))
    values, outputs = explainer.contribute(frame), explainer.output(frame)
    gaps = np.abs(explainer.base + values.sum(axis=1) - outputs)
    if not gaps.max() <= TOLERANCE * max(1.0, np.abs(outputs).max()):
        raise ModelError(
            f"the contributions of {int((gaps > TOLERANCE).sum())} of {len(frame)} rows do not add up to the model's "
            f"output: the difference is up to {gaps.max():.3g} {explainer.unit}, expected {TOLERANCE:g} "
            f"({explainer.method}). Cure: dvc repro --force fits the model again; if that fails, report its settings."
        )
    return Contributions(explainer.features, _rounded(values), float(_rounded(explainer.base)), _rounded(outputs))


def _rounded(values: Any) -> Numbers:
    return np.asarray(np.round(values, DECIMALS) + 0.0)


def _exact(pipeline: Pipeline, reference: pd.DataFrame) -> Explainer | None:
    last, steps = pipeline[-1], pipeline[:-1]
    estimator = last.estimator if isinstance(last, CalibratedScores) else last
    origins = origins_of(steps, list(reference.columns))
    if origins is None or not isinstance(estimator, (LogisticRegression, *BOOSTED, *AVERAGED)):
        return None
    prepare = partial(_prepared, steps, origins)
    explainer = (
        _linear(estimator, prepare, _sums(origins, reference), reference)
        if isinstance(estimator, LogisticRegression)
        else _trees(estimator, prepare, _sums(origins, reference))
    )
    return explainer if last is estimator else _calibrated(explainer, last)


def _prepared(steps: Pipeline, origins: list[str], frame: pd.DataFrame) -> Numbers:
    columns = np.asarray(steps.transform(frame), dtype=np.float64)
    if columns.shape[1] != len(origins):
        raise ModelError(
            f"the model has {columns.shape[1]} columns, expected {len(origins)} from its features. "
            "Cure: dvc repro --force fits the model again; if that fails, report its preprocessing."
        )
    return columns


@dataclass(frozen=True)
class _Sums:
    """The features, and the columns whose contributions are summed for each."""

    features: tuple[str, ...]
    members: Numbers


def _sums(origins: list[str], reference: pd.DataFrame) -> _Sums:
    features = tuple(reference.columns)
    return _Sums(features, (np.array(origins)[:, None] == np.array(features)).astype(np.float64))


def _linear(
    estimator: LogisticRegression, prepare: Callable[[pd.DataFrame], Numbers], sums: _Sums, reference: pd.DataFrame
) -> Explainer:
    """Return the explainer of a linear model: coefficient times distance from the reference mean, for each column."""
    means, slopes = prepare(reference).mean(axis=0), estimator.coef_[0]

    def contribute(frame: pd.DataFrame) -> Numbers:
        return np.asarray(((prepare(frame) - means) * slopes) @ sums.members)

    return Explainer(
        method="linear",
        unit="log_odds",
        features=sums.features,
        base=float(means @ slopes + estimator.intercept_[0]),
        steps=0,
        contribute=contribute,
        output=lambda frame: np.asarray(estimator.decision_function(prepare(frame))),
    )


def _trees(estimator: Any, prepare: Callable[[pd.DataFrame], Numbers], sums: _Sums) -> Explainer:
    boosted = isinstance(estimator, BOOSTED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that shap imports
        from shap import TreeExplainer  # noqa: PLC0415 - takes 1.5 s, only trees need it

    explainer = TreeExplainer(estimator, feature_perturbation="tree_path_dependent")

    def contribute(frame: pd.DataFrame) -> Numbers:
        values = np.asarray(explainer.shap_values(prepare(frame), check_additivity=False))
        return np.asarray((values if values.ndim == 2 else values[:, :, POSITIVE]) @ sums.members)

    def output(frame: pd.DataFrame) -> Numbers:
        rows = prepare(frame)
        return np.asarray(estimator.decision_function(rows) if boosted else estimator.predict_proba(rows)[:, POSITIVE])

    return Explainer(
        method="tree_path_dependent",
        unit="log_odds" if boosted else "probability",
        features=sums.features,
        base=float(np.ravel(explainer.expected_value)[-1]),
        steps=_steps(estimator),
        contribute=contribute,
        output=output,
    )


def _steps(estimator: Any) -> int:
    """Return the sum over all trees of leaves times squared depth, which is proportional to the cost of a row."""
    if isinstance(estimator, HistGradientBoostingClassifier):
        trees = [tree for (tree,) in estimator._predictors]  # noqa: SLF001 - it is nowhere else
        return sum(tree.get_n_leaf_nodes() * tree.get_max_depth() ** 2 for tree in trees)
    grown = np.ravel(estimator.estimators_) if hasattr(estimator, "estimators_") else [estimator]
    return sum(int(tree.tree_.n_leaves) * int(tree.tree_.max_depth) ** 2 for tree in grown)


def _calibrated(explainer: Explainer, last: CalibratedScores) -> Explainer | None:
    """Return the explainer after sigmoid calibration, a line in log-odds; None for non-additive calibrations."""
    if last.scores is not None or explainer.unit != "log_odds":
        return None
    return replace(
        explainer,
        base=last.slope * explainer.base + last.intercept,
        contribute=lambda frame: last.slope * explainer.contribute(frame),
        output=lambda frame: last.slope * explainer.output(frame) + last.intercept,
    )


def _walked(pipeline: Pipeline, reference: pd.DataFrame, *, walks: int, rng: np.random.Generator) -> Explainer:
    def output(frame: pd.DataFrame) -> Numbers:
        return np.asarray(pipeline.predict_proba(frame)[:, POSITIVE])

    paths = paths_of(reference, walks=walks, rng=rng)
    return Explainer(
        method="permutation",
        unit="probability",
        features=tuple(reference.columns),
        base=float(output(frame_from(paths.starts)).mean()),
        steps=0,
        contribute=walker_of(output, paths),
        output=output,
    )
