"""Compile a fitted pipeline to a program of plain numbers, bit-identical or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from lab.compile.columns import prepared_part
from lab.compile.nodes import FittedTrees, fitted_trees, histogram_trees, trees_part
from lab.models.calibrated import CalibratedScores


class InexactError(ValueError):
    """A model family without a bit-identical compiled form."""


@dataclass
class Writer:
    """Collects the arrays of a program under generated names; `sample` shows the memory layout of columns."""

    sample: pd.DataFrame
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def keep(self, values: ArrayLike) -> str:
        """Store an array and return its name."""
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.ascontiguousarray(values)
        return name


Part = dict[str, Any]


def compile_pipeline(pipeline: Pipeline, sample: pd.DataFrame) -> tuple[Part, dict[str, NDArray[Any]]]:
    """Return the program of a fitted pipeline and its arrays; other model families raise InexactError.

    The sample needs at least two rows; it shows the memory layout of the prepared columns.
    """
    writer = Writer(sample)
    return _part(pipeline, writer), writer.arrays


def _part(pipeline: Pipeline, writer: Writer, *, estimate: Any = None) -> Part:
    last = pipeline[-1] if estimate is None else estimate
    if isinstance(last, CalibratedScores):
        return _calibrated(pipeline, last, writer)
    compiled = KINDS.get(type(last))
    if compiled is None:
        raise InexactError(type(last).__name__)
    return compiled(pipeline, last, writer)


def _prepared(pipeline: Pipeline, writer: Writer) -> Part:
    return prepared_part(pipeline, writer.sample, keep=writer.keep)


def _calibrated(pipeline: Pipeline, line: CalibratedScores, writer: Writer) -> Part:
    scores, shares = line.scores, line.shares
    return {
        "kind": "calibrated",
        "inner": _part(pipeline, writer, estimate=line.estimator),
        "slope": float(line.slope),
        "intercept": float(line.intercept),
        "scores": None if scores is None else writer.keep(scores),
        "shares": None if shares is None else writer.keep(shares),
    }


def _linear(pipeline: Pipeline, fitted: LogisticRegression, writer: Writer) -> Part:
    return {"kind": "linear", "preparation": _prepared(pipeline, writer), **_line(fitted, writer)}


def _line(fitted: LogisticRegression, writer: Writer) -> Part:
    return {"coefficients": writer.keep(fitted.coef_), "intercept": writer.keep(fitted.intercept_)}


def _naive_bayes(pipeline: Pipeline, fitted: GaussianNB, writer: Writer) -> Part:
    return {
        "kind": "naive_bayes",
        "preparation": _prepared(pipeline, writer),
        "means": writer.keep(fitted.theta_),
        "variances": writer.keep(fitted.var_),
        "priors": writer.keep(fitted.class_prior_),
    }


def _constant(_pipeline: Pipeline, fitted: DummyClassifier, _writer: Writer) -> Part:
    return {"kind": "constant", "probability": float(fitted.class_prior_[1])}


def _trees(pipeline: Pipeline, writer: Writer, trees: FittedTrees, *, in_32_bits: bool, **more: Any) -> Part:
    part = trees_part(trees, keep=writer.keep)
    return {"preparation": _prepared(pipeline, writer), "trees": part, "in_32_bits": in_32_bits, **more}


def _one_tree(pipeline: Pipeline, fitted: DecisionTreeClassifier, writer: Writer) -> Part:
    return _trees(pipeline, writer, fitted_trees([fitted.tree_], _share), in_32_bits=True, kind="mean_of_trees")


def _forest(pipeline: Pipeline, fitted: RandomForestClassifier | ExtraTreesClassifier, writer: Writer) -> Part:
    trees = fitted_trees([tree.tree_ for tree in fitted.estimators_], _share)
    return _trees(pipeline, writer, trees, in_32_bits=True, kind="mean_of_trees")


def _ada_boost(pipeline: Pipeline, fitted: AdaBoostClassifier, writer: Writer) -> Part:
    trees = fitted_trees([tree.tree_ for tree in fitted.estimators_], _votes)
    weights = writer.keep(fitted.estimator_weights_[: len(fitted.estimators_)])
    total = writer.keep(fitted.estimator_weights_.sum())
    return _trees(pipeline, writer, trees, in_32_bits=True, kind="votes_of_trees", weights=weights, total=total)


def _gradient_boosting(pipeline: Pipeline, fitted: GradientBoostingClassifier, writer: Writer) -> Part:
    width = fitted.n_features_in_
    first = float(fitted._raw_predict_init(np.zeros((1, width), dtype=np.float32))[0, 0])  # noqa: SLF001 - the constant
    trees = fitted_trees(
        [tree.tree_ for tree in fitted.estimators_[:, 0]], lambda value: fitted.learning_rate * value[:, 0]
    )
    return _trees(pipeline, writer, trees, in_32_bits=True, kind="sum_of_trees", first=first)


def _histogram(pipeline: Pipeline, fitted: HistGradientBoostingClassifier, writer: Writer) -> Part:
    first = float(fitted._baseline_prediction[0, 0])  # noqa: SLF001 - the constant
    made = _trees(pipeline, writer, histogram_trees(fitted), in_32_bits=False, kind="sum_of_trees", first=first)
    return {**made, "categories": _categories(fitted, writer)}


def _categories(fitted: HistGradientBoostingClassifier, writer: Writer) -> Part | None:
    """Return the categorical columns, which the estimator moves to the front; None without any."""
    chosen = fitted.is_categorical_
    if chosen is None:
        return None
    encoder = fitted._preprocessor.named_transformers_["encoder"]  # noqa: SLF001 - used by its predictions
    return {
        "columns": np.flatnonzero(chosen).tolist(),
        "levels": [writer.keep(levels[~np.isnan(levels)]) for levels in encoder.categories_],
        "others": writer.keep(np.flatnonzero(~chosen)),
    }


def _voting(_pipeline: Pipeline, fitted: VotingClassifier, writer: Writer) -> Part:
    return {
        "kind": "average",
        "members": [_part(member, writer) for member in fitted.estimators_],
        "weights": None if fitted.weights is None else writer.keep(np.asarray(fitted.weights, dtype=np.float64)),
    }


def _stacking(_pipeline: Pipeline, fitted: StackingClassifier, writer: Writer) -> Part:
    members = [_part(member, writer) for member in fitted.estimators_]
    return {"kind": "stack", "members": members, "order": "C", **_line(fitted.final_estimator_, writer)}


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[:, 1]


def _votes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values.argmax(axis=1) == 1, 1.0, -1.0)


KINDS: Mapping[type, Callable[[Pipeline, Any, Writer], Part]] = {
    AdaBoostClassifier: _ada_boost,
    DecisionTreeClassifier: _one_tree,
    DummyClassifier: _constant,
    ExtraTreesClassifier: _forest,
    GaussianNB: _naive_bayes,
    GradientBoostingClassifier: _gradient_boosting,
    HistGradientBoostingClassifier: _histogram,
    LogisticRegression: _linear,
    RandomForestClassifier: _forest,
    StackingClassifier: _stacking,
    VotingClassifier: _voting,
}
