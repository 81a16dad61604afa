"""Calibrate scores with the out-of-fold scores, without further fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from lab.model_files.specification import Calibration
from lab.models.calibrated import CalibratedScores
from lab.stats.core.log_odds import log_odds
from lab.stats.core.paired import log_losses

Labels = NDArray[np.int8]
Numbers = NDArray[np.float64]

METHODS = ("none", "sigmoid", "isotonic")
DIGITS = 8  # of fitted parameters; further digits differ between processors
DECIMALS = 6  # of a score
STANDARD_ERRORS = 2
WEAK_PENALTY = 1e4  # an inverse penalty that only keeps the slope finite for perfect scores


@dataclass(frozen=True)
class Calibrated:
    """The chosen method, the calibrated out-of-fold scores, and the log loss of every method."""

    method: str
    scores: Numbers
    log_losses: dict[str, float]


def calibrate(requested: Calibration, labels: Labels, scores: Numbers, fold_of: NDArray[np.int8]) -> Calibrated:
    """Return calibrated out-of-fold scores, each fold's from the other folds; `best` chooses by log loss.

    A method replaces a simpler one (none before sigmoid before isotonic) when its losses are significantly lower: by
    two standard errors of the mean difference.
    """
    tried = METHODS if requested == "best" else (requested,)
    calibrated = {method: _cross_fitted(method, labels, scores, fold_of) for method in tried}
    losses = {method: log_losses(labels.astype(np.float64), found) for method, found in calibrated.items()}
    best = tried[0]
    for method in tried[1:]:
        if _lower(losses[method], losses[best]):
            best = method
    return Calibrated(best, calibrated[best], {method: float(values.mean()) for method, values in losses.items()})


def with_calibration(pipeline: Pipeline, method: str, labels: Labels, scores: Numbers) -> Pipeline:
    """Return a fitted pipeline with a calibration of all out-of-fold scores at its end."""
    if method == "none":
        return pipeline
    *before, (name, estimator) = pipeline.steps
    return Pipeline([*before, (name, CalibratedScores(estimator, **_line(method, labels, scores)))])


def _cross_fitted(method: str, labels: Labels, scores: Numbers, fold_of: NDArray[np.int8]) -> Numbers:
    if method == "none":
        return scores
    calibrated = np.empty_like(scores)
    for fold in np.unique(fold_of):
        inside = fold_of == fold
        line = CalibratedScores(None, **_line(method, labels[~inside], scores[~inside]))
        calibrated[inside] = line.calibrate(scores[inside]).round(DECIMALS) + 0.0
    return calibrated


def _line(method: str, labels: Labels, scores: Numbers) -> Mapping[str, Any]:
    return _isotonic(labels, scores) if method == "isotonic" else _sigmoid(labels, scores)


def _isotonic(labels: Labels, scores: Numbers) -> Mapping[str, Any]:
    """Return the isotonic regression of the labels (Zadrozny and Elkan, 2002, KDD)."""
    found = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, labels.astype(np.float64))
    return {"scores": found.X_thresholds_.round(DECIMALS), "shares": found.y_thresholds_.round(DIGITS) + 0.0}


def _sigmoid(labels: Labels, scores: Numbers) -> Mapping[str, Any]:
    """Return the logistic regression on log-odds (Platt, 1999); a negative slope is replaced by 0."""
    model = LogisticRegression(C=WEAK_PENALTY, solver="newton-cholesky", tol=1e-10)
    found = model.fit(log_odds(scores)[:, None], labels)
    if (slope := round(float(found.coef_[0, 0]), DIGITS)) > 0:
        return {"slope": slope, "intercept": round(float(found.intercept_[0]), DIGITS)}
    share = float(labels.mean())
    return {"slope": 0.0, "intercept": round(float(np.log(share / (1 - share))), DIGITS)}


def _lower(losses: Numbers, others: Numbers) -> bool:
    gains = others - losses
    return bool(gains.mean() > STANDARD_ERRORS * gains.std(ddof=1) / np.sqrt(len(gains)))
