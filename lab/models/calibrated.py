"""A classifier with calibrated probabilities."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from lab.stats.core.log_odds import log_odds

Numbers = NDArray[np.float64]


class CalibratedScores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """The last step of a pipeline, around a fitted estimator: calibrates its probability of a positive.

    The calibration is an increasing curve: linear interpolation between points (isotonic), or, without points, a line
    in log-odds with slope and intercept (sigmoid). It keeps the order of rows.
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
        """Return self: the estimator is fitted already."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, rows: Any) -> Numbers:
        """Return the probability of each of the two classes, the positive one last."""
        positive = self.calibrate(self.estimator.predict_proba(rows)[:, 1])
        return np.column_stack([1 - positive, positive])

    def calibrate(self, scores: ArrayLike) -> Numbers:
        """Return the calibrated value of each score."""
        found = np.asarray(scores, dtype=np.float64)
        if self.scores is not None and self.shares is not None:
            return np.asarray(np.interp(found, self.scores, self.shares))
        return np.asarray(1 / (1 + np.exp(-(self.slope * log_odds(found) + self.intercept))))
