"""A classifier whose probabilities were put right on scores of rows that it was not fitted on."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from lab.stats.core.log_odds import log_odds

Numbers = NDArray[np.float64]


class CalibratedScores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """The last step of a pipeline around a fitted one: its probability of a positive, moved along a rising line.

    The line is given by points, between which it is straight and beyond which it is level (isotonic), or, without
    points, by slope and intercept of the log-odds (sigmoid). A line that does not fall keeps the order of rows.
    """

    def __init__(
        self,
        estimator: Any,
        slope: float = 1.0,
        intercept: float = 0.0,
        scores: Numbers | None = None,
        shares: Numbers | None = None,
    ) -> None:
        self.estimator = estimator
        self.slope = slope
        self.intercept = intercept
        self.scores = scores
        self.shares = shares

    @property
    def classes_(self) -> NDArray[Any]:
        classes: NDArray[Any] = self.estimator.classes_
        return classes

    def fit(self, _rows: Any, _labels: Any) -> "CalibratedScores":
        """Return itself: it is made around what is fitted already, and learns nothing more."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, rows: Any) -> Numbers:
        """Return the probability of each class, of which there are two, the positive one last."""
        positive = self.move(self.estimator.predict_proba(rows)[:, 1])
        return np.column_stack([1 - positive, positive])

    def move(self, scores: ArrayLike) -> Numbers:
        """Return where the line leads each score."""
        found = np.asarray(scores, dtype=np.float64)
        if self.scores is not None and self.shares is not None:
            return np.asarray(np.interp(found, self.scores, self.shares))
        return np.asarray(1 / (1 + np.exp(-(self.slope * log_odds(found) + self.intercept))))
