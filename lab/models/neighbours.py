"""Nearest neighbours whose ties are shared, so that neither threads nor rows scored beside a row move its score."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

Numbers = NDArray[np.float64]
MOST_DISTANCES = 2**21  # held at once


class NearestNeighbours(KNeighborsClassifier):  # type: ignore[misc]  # scikit-learn ships no types
    """scikit-learn's classifier of two classes, but for rows that are equally far: they share the places that are left.

    scikit-learn takes some of them, which ones depends on how many threads look; scores were seen to move by 0.2. With
    fewer training rows than neighbours, all of them are neighbours.
    """

    def predict_proba(self, rows: ArrayLike) -> Numbers:
        """Return the share of each class among a row's neighbours; by distance, nearer ones count more."""
        check_is_fitted(self)
        asked: Numbers = validate_data(self, rows, dtype=np.float64, reset=False)
        size = max(1, MOST_DISTANCES // len(self._fit_X))
        positive = np.concatenate([self._shares(asked[start : start + size]) for start in range(0, len(asked), size)])
        return np.column_stack([1 - positive, positive])

    def predict(self, rows: ArrayLike) -> NDArray[Any]:
        """Return the likelier class of each row."""
        likelier: NDArray[Any] = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return likelier

    def _shares(self, asked: Numbers) -> Numbers:
        distances = cdist(asked, self._fit_X)
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
    """Return one over each distance; where a row is met again, what is not that row counts nothing."""
    met = distances == 0
    with np.errstate(divide="ignore"):
        return np.where(met.any(axis=1, keepdims=True), met, 1 / distances)
