"""Curves pass through scikit-learn's points, and thinning keeps the area."""

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve as oracle_calibration

from lab.stats.core.classification import calibration_error, measure, scored_sample
from lab.stats.models.curves import (
    calibration_curve,
    gain_curve,
    lift_at,
    lift_curve,
    precision_recall_curve,
    roc_curve,
    score_bins,
)
from tests.lab.stats.core.test_classification import sample


@pytest.mark.parametrize("decimals", [1, 2, 6])
def test_every_roc_point_is_one_of_scikit_learns(decimals: int) -> None:
    labels, scores = sample(11, decimals=decimals)
    x, y, thresholds = oracle.roc_curve(labels, scores, drop_intermediate=False)
    known = {float(threshold): (a, b) for a, b, threshold in zip(x[1:], y[1:], thresholds[1:], strict=True)}
    first, *others = roc_curve(scored_sample(labels, scores))
    assert (first.x, first.y, first.threshold) == (0, 0, None)
    assert (others[-1].x, others[-1].y) == (1, 1)
    for point in others:
        assert point.threshold is not None
        assert (point.x, point.y) == pytest.approx(known[point.threshold], abs=1e-12)


def test_a_hundred_roc_points_keep_the_area_of_ten_thousand() -> None:
    labels, scores = sample(12, rows=10_000, decimals=6)
    points = roc_curve(scored_sample(labels, scores))
    assert len(points) <= 101
    area = float(np.trapezoid([point.y for point in points], [point.x for point in points]))
    assert area == pytest.approx(float(measure(scored_sample(labels, scores), threshold=0.5)["roc_auc"]), abs=0.001)


def test_every_precision_recall_point_is_one_of_scikit_learns() -> None:
    labels, scores = sample(13)
    precision, recall, thresholds = oracle.precision_recall_curve(labels, scores)
    known = {float(threshold): (a, b) for a, b, threshold in zip(recall[:-1], precision[:-1], thresholds, strict=True)}
    points = precision_recall_curve(scored_sample(labels, scores))
    assert points[-1].x == 1
    for point in points:
        assert point.threshold is not None
        assert (point.x, point.y) == pytest.approx(known[point.threshold], abs=1e-12)


def test_gain_counts_the_positives_among_the_best_rows() -> None:
    points = gain_curve(scored_sample([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]))
    assert [(point.x, point.y) for point in points] == [(0, 0), (0.25, 0.5), (0.5, 0.5), (0.75, 1), (1, 1)]


def test_lift_compares_the_best_rows_with_all_rows() -> None:
    assert lift_at(scored_sample([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]), 0.25) == pytest.approx(2)
    assert lift_at(scored_sample([1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]), 0.1) == pytest.approx(1)


def test_the_lift_curve_is_how_much_richer_the_best_rows_are() -> None:
    labels, scores = sample(16, rows=1000, decimals=6)
    ranked = labels[np.argsort(-scores, kind="stable")]
    points = lift_curve(scored_sample(labels, scores))
    assert points[0].x >= 0.01
    for point in points:
        assert point.y == pytest.approx(ranked[: round(point.x * 1000)].mean() / labels.mean())


def test_calibration_bins_agree_with_scikit_learn_and_add_up_to_the_error() -> None:
    labels, scores = sample(14, rows=2000, decimals=6)
    bins = calibration_curve(scored_sample(labels, scores))
    shares, means = oracle_calibration(labels, scores, n_bins=10)
    assert [each.share for each in bins] == pytest.approx(shares)
    assert [each.score for each in bins] == pytest.approx(means)
    error = sum(each.rows * abs(each.share - each.score) for each in bins) / 2000
    assert error == pytest.approx(float(calibration_error(scored_sample(labels, scores))))
    assert all(each.low <= each.share <= each.high for each in bins)


def test_an_empty_bin_has_no_point() -> None:
    assert len(calibration_curve(scored_sample([1, 0], [0.05, 0.95]))) == 2


def test_score_bins_hold_every_row_once() -> None:
    labels, scores = sample(15, decimals=6)
    bins = score_bins(scored_sample(labels, scores))
    counts, edges = np.histogram(scores[labels], bins=20, range=(0, 1))
    assert [each.positives for each in bins] == counts.tolist()
    assert [each.start for each in bins] == pytest.approx(edges[:-1])
    assert sum(each.negatives for each in bins) == np.sum(~labels)


def test_a_score_of_one_lies_in_the_last_bin() -> None:
    assert score_bins(scored_sample([1], [1.0]))[-1].positives == 1
