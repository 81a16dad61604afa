"""Calibration uses other folds, keeps the order of scores, and leaves well-calibrated scores unchanged."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from lab.models.calibrated import CalibratedScores
from lab.train.calibration import calibrate, with_calibration

RNG = np.random.default_rng(8)
TRUE = RNG.beta(2, 3, 3000)
LABELS = (RNG.random(3000) < TRUE).astype(np.int8)
GOOD = TRUE.round(6)
TIMID = expit(0.4 * logit(TRUE) + 0.5).round(6)  # a sigmoid puts it right
STEPS = np.where(TRUE < 0.2, 0.02, np.where(TRUE < 0.7, 0.5, 0.98))  # no sigmoid leads to them
STEPPED = (RNG.random(3000) < STEPS).astype(np.int8)
FOLDS = (np.arange(3000) % 4 + 1).astype(np.int8)


def loss(scores: Any, labels: Any = LABELS) -> float:
    return float(log_loss(labels, np.clip(scores, 5e-7, 1 - 5e-7)))


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_underconfident_scores_are_calibrated(method: Any) -> None:
    assert loss(calibrate(method, LABELS, TIMID, FOLDS).scores) < loss(TIMID) - 0.03


@pytest.mark.parametrize(
    ("labels", "scores", "best"), [(LABELS, GOOD, "none"), (LABELS, TIMID, "sigmoid"), (STEPPED, GOOD, "isotonic")]
)
def test_the_best_method_is_the_simplest_that_no_other_beats_significantly(labels: Any, scores: Any, best: str) -> None:
    found = calibrate("best", labels, scores, FOLDS)
    assert found.method == best
    assert found.log_losses[best] == pytest.approx(loss(found.scores, labels))
    assert found.log_losses["none"] == pytest.approx(loss(scores, labels))


def test_a_folds_own_labels_do_not_change_its_scores() -> None:
    turned = np.where(FOLDS == 2, 1 - LABELS, LABELS).astype(np.int8)
    for method in ("sigmoid", "isotonic"):
        before, after = (calibrate(method, labels, TIMID, FOLDS).scores for labels in (LABELS, turned))
        assert_array_equal(before[FOLDS == 2], after[FOLDS == 2])
        assert not np.array_equal(before[FOLDS != 2], after[FOLDS != 2])


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_the_order_of_rows_is_kept(method: str) -> None:
    moved = fitted(method)[-1].calibrate(np.sort(TIMID))
    assert (np.diff(moved) >= 0).all()


def test_a_sigmoid_agrees_with_logistic_regression_on_log_odds() -> None:
    model = LogisticRegression(C=np.inf).fit(logit(TIMID)[:, None], LABELS)
    expected = model.predict_proba(logit(TIMID)[:, None])[:, 1]
    assert_allclose(fitted("sigmoid")[-1].calibrate(TIMID), expected, atol=1e-4)


def test_isotonic_agrees_with_scikit_learn() -> None:
    expected = IsotonicRegression(y_min=0, y_max=1).fit_transform(TIMID, LABELS.astype(float))
    assert_allclose(fitted("isotonic")[-1].calibrate(TIMID), expected, atol=1e-6)


def test_inverted_scores_are_replaced_by_the_mean() -> None:
    assert np.ptp(calibrate("sigmoid", LABELS, 1 - GOOD, FOLDS).scores[FOLDS == 1]) == 0


def test_perfect_scores_stay_finite() -> None:
    found = calibrate("best", LABELS, LABELS.astype(float), FOLDS)
    assert np.isfinite(found.scores).all()


def test_a_calibrated_pipeline_is_a_classifier() -> None:
    rows = TIMID[:, None]
    pipeline = fitted("sigmoid")
    inner = pipeline[-1].estimator.predict_proba(pipeline[0].transform(rows))[:, 1]
    assert list(pipeline.classes_) == [0, 1]
    assert_array_equal(pipeline.predict_proba(rows)[:, 1], pipeline[-1].calibrate(inner))
    assert_allclose(pipeline.predict_proba(rows).sum(axis=1), 1)


def test_without_calibration_the_pipeline_is_the_same_object() -> None:
    pipeline = plain()
    assert with_calibration(pipeline, "none", LABELS, TIMID) is pipeline


def test_a_line_without_points_or_slope_changes_nothing() -> None:
    assert_allclose(CalibratedScores(None).calibrate(GOOD), np.clip(GOOD, 1e-6, 1 - 1e-6))


def plain() -> Pipeline:
    return Pipeline([("prepare", StandardScaler()), ("estimate", LogisticRegression())]).fit(TIMID[:, None], LABELS)


def fitted(method: str) -> Pipeline:
    return with_calibration(plain(), method, LABELS, TIMID)
