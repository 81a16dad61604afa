"""Put scores right: find on out-of-fold scores how scores relate to shares, at the price of no further fit."""

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
DIGITS = 8  # of what is learned; the last ones a processor may see differently
DECIMALS = 6  # of a score
STANDARD_ERRORS = 2
WEAK_PENALTY = 1e4  # an inverse penalty: it only keeps a slope finite where scores and labels agree everywhere


@dataclass(frozen=True)
class Calibrated:
    """The method taken, the out-of-fold scores that it gives, and the log loss of every method that was tried."""

    method: str
    scores: Numbers
    log_losses: dict[str, float]


def calibrate(wanted: Calibration, labels: Labels, scores: Numbers, fold_of: NDArray[np.int8]) -> Calibrated:
    """Return out-of-fold scores put right, each fold's by the other folds alone; `best` goes by log loss.

    A method takes the place of a plainer one (none before sigmoid before isotonic) when its rows' losses are lower by
    more than chance, two standard errors of their mean difference.
    """
    tried = METHODS if wanted == "best" else (wanted,)
    moved = {method: _cross_fitted(method, labels, scores, fold_of) for method in tried}
    losses = {method: log_losses(labels.astype(np.float64), found) for method, found in moved.items()}
    best = tried[0]
    for method in tried[1:]:
        if _lower(losses[method], losses[best]):
            best = method
    return Calibrated(best, moved[best], {method: float(values.mean()) for method, values in losses.items()})


def with_calibration(pipeline: Pipeline, method: str, labels: Labels, scores: Numbers) -> Pipeline:
    """Return a fitted pipeline that ends in scores put right by all out-of-fold scores."""
    if method == "none":
        return pipeline
    *before, (name, estimator) = pipeline.steps
    return Pipeline([*before, (name, CalibratedScores(estimator, **_line(method, labels, scores)))])


def _cross_fitted(method: str, labels: Labels, scores: Numbers, fold_of: NDArray[np.int8]) -> Numbers:
    if method == "none":
        return scores
    moved = np.empty_like(scores)
    for fold in np.unique(fold_of):
        inside = fold_of == fold
        line = CalibratedScores(None, **_line(method, labels[~inside], scores[~inside]))
        moved[inside] = line.move(scores[inside]).round(DECIMALS) + 0.0
    return moved


def _line(method: str, labels: Labels, scores: Numbers) -> Mapping[str, Any]:
    return _isotonic(labels, scores) if method == "isotonic" else _sigmoid(labels, scores)


def _isotonic(labels: Labels, scores: Numbers) -> Mapping[str, Any]:
    """Return the rising steps nearest to the labels (Zadrozny and Elkan, 2002, KDD)."""
    found = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, labels.astype(np.float64))
    return {"scores": found.X_thresholds_.round(DECIMALS), "shares": found.y_thresholds_.round(DIGITS) + 0.0}


def _sigmoid(labels: Labels, scores: Numbers) -> Mapping[str, Any]:
    """Return the line on the log-odds that makes the labels likeliest (Platt, 1999); a falling one is laid level."""
    model = LogisticRegression(C=WEAK_PENALTY, solver="newton-cholesky", tol=1e-10)
    found = model.fit(log_odds(scores)[:, None], labels)
    if (slope := round(float(found.coef_[0, 0]), DIGITS)) > 0:
        return {"slope": slope, "intercept": round(float(found.intercept_[0]), DIGITS)}
    share = float(labels.mean())
    return {"slope": 0.0, "intercept": round(float(np.log(share / (1 - share))), DIGITS)}


def _lower(losses: Numbers, others: Numbers) -> bool:
    gains = others - losses
    return bool(gains.mean() > STANDARD_ERRORS * gains.std(ddof=1) / np.sqrt(len(gains)))
