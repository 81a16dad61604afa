"""Round the parameters of a fitted pipeline, and remove what prediction does not need."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

from lab.models.rounding import significant

DIGITS = 8  # of fitted parameters; further digits differ between processors
ONE_ROW = 1


def round_fitted(pipeline: Pipeline, frame: pd.DataFrame) -> None:
    """Round the parameters of a fitted pipeline in place, in every nested step."""
    for part in parts_of(pipeline):
        if isinstance(part, StandardScaler):
            _round_scaler(part)
        elif isinstance(part, LogisticRegression):
            part.coef_, part.intercept_ = _decimals(part.coef_), _decimals(part.intercept_)
        elif isinstance(part, GaussianNB):
            part.theta_, part.var_ = _decimals(part.theta_), significant(part.var_, digits=DIGITS)
        elif isinstance(part, MLPClassifier):
            _tidy_perceptron(part)
        elif isinstance(part, CalibratedClassifierCV):
            _round_sigmoids(part)
        elif isinstance(part, TargetEncoder):
            _drop_rare_levels(part, frame)
        elif isinstance(part, VotingClassifier | StackingClassifier):
            del part.named_estimators_  # the members again, which would be stored twice


def parts_of(part: Any) -> list[Any]:
    """Return a fitted step and every step nested in it."""
    inside = [step for _, step, *_ in [*getattr(part, "steps", []), *getattr(part, "transformers_", [])]]
    if isinstance(part, VotingClassifier | StackingClassifier):
        inside += [*part.estimators_, *([part.final_estimator_] if isinstance(part, StackingClassifier) else [])]
    return [part, *(deeper for step in inside for deeper in parts_of(step))]


def _round_scaler(scaler: StandardScaler) -> None:
    scaler.scale_ = significant(scaler.scale_, digits=DIGITS)
    scaler.mean_ = _decimals(scaler.mean_ / scaler.scale_) * scaler.scale_
    scaler.var_ = _decimals(scaler.var_ / scaler.scale_**2) * scaler.scale_**2


def _tidy_perceptron(perceptron: MLPClassifier) -> None:
    perceptron.coefs_ = [_decimals(values) for values in perceptron.coefs_]
    perceptron.intercepts_ = [_decimals(values) for values in perceptron.intercepts_]
    del perceptron._optimizer, perceptron._random_state  # noqa: SLF001 - needed only to continue learning


def _round_sigmoids(calibrated: CalibratedClassifierCV) -> None:
    for line in calibrated.calibrated_classifiers_:
        for sigmoid in line.calibrators:
            sigmoid.a_, sigmoid.b_ = round(float(sigmoid.a_), DIGITS), round(float(sigmoid.b_), DIGITS)


def _drop_rare_levels(encoder: TargetEncoder, frame: pd.DataFrame) -> None:
    """Remove levels with a single row; cross-fitting treated them as unseen in training."""
    for place, name in enumerate(encoder.feature_names_in_):
        levels, shares = encoder.categories_[place], encoder.encodings_[place]
        counts = frame[name].value_counts()
        known = np.array([counts.get(level, ONE_ROW + 1) for level in levels]) > ONE_ROW
        if not known.any():
            known[0], shares[0] = True, encoder.target_mean_
        encoder.categories_[place], encoder.encodings_[place] = levels[known], shares[known]


def _decimals(values: Any) -> Any:
    return np.round(values, DIGITS) + 0.0  # + 0.0 turns −0.0 into 0.0
