"""Select the prepared columns with most information about the label, on training rows only."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.feature_selection import SelectorMixin, f_classif, mutual_info_classif
from sklearn.utils.validation import validate_data

from lab.models.rounding import significant

Numbers = NDArray[np.float64]
DIGITS = 6  # of a column's score: equal columns must tie on every processor
MOST_DISTINCT = 20  # columns with at most this many values are discrete
TREES = 100
SMALLEST_LEAF = 20


class KeepBest(SelectorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Select the best `count` columns, or all when there are no more; of ties the first.

    `by` is anova (F statistic of the two classes), mutual_information (by counting for discrete columns, else by
    nearest neighbours) or model (importance in extremely randomised trees). Constant columns come last.
    """

    def __init__(self, by: str = "anova", count: int = 10, seed: int = 0) -> None:
        self.by = by
        self.count = count
        self.seed = seed

    def fit(self, rows: ArrayLike, labels: ArrayLike) -> "KeepBest":
        """Select among the columns of rows, which have no missing values; return self."""
        columns = validate_data(self, rows, dtype=np.float64)
        best = np.argsort(-scores_of(columns, np.asarray(labels), by=self.by, seed=self.seed), kind="stable")
        self.kept_ = np.isin(np.arange(columns.shape[1]), best[: self.count])
        return self

    def _get_support_mask(self) -> NDArray[np.bool_]:
        kept: NDArray[np.bool_] = self.kept_
        return kept


def scores_of(columns: Numbers, labels: NDArray[Any], *, by: str, seed: int) -> Numbers:
    """Return the information of each column about the label: higher is more, −1 for a constant."""
    varied = np.flatnonzero(columns.min(axis=0) != columns.max(axis=0))
    scores = np.full(columns.shape[1], -1.0)
    if varied.size:
        scores[varied] = significant(SCORES[by](columns[:, varied], labels, seed), digits=DIGITS)
    return scores


def _anova(columns: Numbers, labels: NDArray[Any], _seed: int) -> Numbers:
    centred = columns - columns.mean(axis=0)  # for precision: sums of squares far from zero lose digits
    with np.errstate(divide="ignore"):  # infinite for a column that separates the classes
        scores: Numbers = f_classif(centred / np.abs(centred).max(axis=0), labels)[0]
    return scores


def _mutual_information(columns: Numbers, labels: NDArray[Any], seed: int) -> Numbers:
    values = columns.copy()
    codes = [np.unique(column, return_inverse=True) for column in columns.T]
    few = np.array([len(distinct) <= MOST_DISTINCT for distinct, _ in codes])
    for place in np.flatnonzero(few):
        values[:, place] = codes[place][1]
    scores: Numbers = mutual_info_classif(values, labels, discrete_features=few, random_state=seed)
    return scores


def _importance(columns: Numbers, labels: NDArray[Any], seed: int) -> Numbers:
    trees = ExtraTreesClassifier(TREES, min_samples_leaf=SMALLEST_LEAF, random_state=seed)
    scores: Numbers = trees.fit(columns, labels).feature_importances_
    return scores


SCORES: Mapping[str, Callable[[Numbers, NDArray[Any], int], Numbers]] = {
    "anova": _anova,
    "mutual_information": _mutual_information,
    "model": _importance,
}
