"""Nearest neighbours with deterministic ties."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

Numbers = NDArray[np.float64]
MOST_DISTANCES = 2**21  # in memory at once


class NearestNeighbours(KNeighborsClassifier):  # type: ignore[misc]  # scikit-learn ships no types
    """scikit-learn's classifier for two classes, but rows at equal distance share the remaining places.

    scikit-learn takes some of them, depending on the number of threads; scores differ by up to 0.2. With fewer training
    rows than neighbours, all rows are neighbours.
    """

    def predict_proba(self, rows: ArrayLike) -> Numbers:
        """Return the share of each class among a row's neighbours, optionally weighted by distance."""
        check_is_fitted(self)
        queries: Numbers = validate_data(self, rows, dtype=np.float64, reset=False)
        size = max(1, MOST_DISTANCES // len(self._fit_X))
        positive = np.concatenate(
            [self._shares(queries[start : start + size]) for start in range(0, len(queries), size)]
        )
        return np.column_stack([1 - positive, positive])

    def predict(self, rows: ArrayLike) -> NDArray[Any]:
        """Return the more likely class of each row."""
        likelier: NDArray[Any] = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return likelier

    def _shares(self, queries: Numbers) -> Numbers:
        distances = cdist(queries, self._fit_X)
        count = min(self.n_neighbors, len(self._fit_X))
        farthest = np.partition(distances, count - 1, axis=1)[:, count - 1 : count]
        nearer, tied = distances < farthest, distances == farthest
        left = (count - nearer.sum(axis=1, keepdims=True)) / tied.sum(axis=1, keepdims=True)
        weights = nearer + tied * left
        if self.weights == "distance":
            weights *= _nearness(distances)
        shares: Numbers = (weights * self._y).sum(axis=1) / weights.sum(axis=1)
        return shares


def _nearness(distances: Numbers) -> Numbers:
    """Return the inverse of each distance; for a row with exact matches only these count."""
    exact = distances == 0
    with np.errstate(divide="ignore"):
        return np.where(exact.any(axis=1, keepdims=True), exact, 1 / distances)
