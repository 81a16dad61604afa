"""Metrics agree with scikit-learn, also for edge cases."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as oracle

from lab.stats.core.classification import METRICS, decide, decisions_by_threshold, measure, scored_sample
from lab.stats.core.log_odds import SMALLEST_PROBABILITY

Labels = NDArray[np.bool_]
Numbers = NDArray[Any]

THRESHOLD = 0.4


def sample(seed: int, *, rows: int = 400, decimals: int = 2) -> tuple[Labels, Numbers]:
    """Return labels and scores with many ties: two decimals make a hundred distinct scores at most."""
    rng = np.random.default_rng(seed)
    labels = rng.random(rows) < 0.3
    return labels, np.round(1 / (1 + np.exp(-(labels - 0.5 + rng.normal(size=rows)))), decimals)


def expected(labels: Labels, scores: Numbers, weights: Numbers | None = None) -> dict[str, float]:
    """Return what scikit-learn says; calibration error, which it lacks, is added up bin by bin."""
    decided, given = scores >= THRESHOLD, {"sample_weight": weights}
    clipped = np.clip(scores, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return {
        "accuracy": oracle.accuracy_score(labels, decided, **given),
        "average_precision": oracle.average_precision_score(labels, scores, **given),
        "balanced_accuracy": oracle.balanced_accuracy_score(labels, decided, **given),
        "brier": oracle.brier_score_loss(labels, scores, **given),
        "calibration_error": slow_calibration_error(labels, scores, weights),
        "f1": oracle.f1_score(labels, decided, **given),
        "log_loss": oracle.log_loss(labels, clipped, **given),
        "precision": oracle.precision_score(labels, decided, **given),
        "recall": oracle.recall_score(labels, decided, **given),
        "roc_auc": oracle.roc_auc_score(labels, scores, **given),
    }


def slow_calibration_error(labels: Labels, scores: Numbers, weights: Numbers | None = None) -> float:
    weights = np.ones(len(scores)) if weights is None else weights
    total = 0.0
    for low in range(10):
        inside = (scores * 10 >= low - 1e-9) & ((scores * 10 < low + 1 - 1e-9) | (low == 9))
        total += abs(np.sum(weights[inside] * (labels[inside] - scores[inside])))
    return float(total / weights.sum())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("decimals", [1, 2, 6])
def test_every_metric_agrees_with_scikit_learn(seed: int, decimals: int) -> None:
    labels, scores = sample(seed, decimals=decimals)
    found = measure(scored_sample(labels, scores), threshold=THRESHOLD)
    assert set(found) == set(METRICS)
    assert {name: float(value) for name, value in found.items()} == pytest.approx(expected(labels, scores), abs=1e-12)


def test_the_order_of_the_rows_does_not_matter() -> None:
    labels, scores = sample(1)
    order = np.random.default_rng(2).permutation(len(labels))
    assert measure(scored_sample(labels, scores), threshold=0.4) == measure(
        scored_sample(labels[order], scores[order]), threshold=0.4
    )


def test_turning_labels_and_scores_around_keeps_the_area() -> None:
    labels, scores = sample(3)
    forth, back = scored_sample(labels, scores), scored_sample(~labels, np.round(1 - scores, 2))
    areas = [float(measure(counted, threshold=0.5)["roc_auc"]) for counted in (forth, back)]
    assert areas[0] == pytest.approx(areas[1], abs=1e-15)


def test_a_score_that_equals_the_threshold_is_decided_positive() -> None:
    decisions = decide(scored_sample([1, 0], [0.4, 0.39]), threshold=0.4)
    assert [int(decisions.true_positives), int(decisions.true_negatives)] == [1, 1]


def test_a_threshold_above_every_score_decides_nothing_positive_and_its_precision_is_zero() -> None:
    found = measure(scored_sample([1, 0], [0.4, 0.3]), threshold=0.9)
    assert (float(found["precision"]), float(found["recall"]), float(found["accuracy"])) == (0.0, 0.0, 0.5)


def test_decisions_by_threshold_are_those_at_each_distinct_score() -> None:
    counted = scored_sample(*sample(4))
    curve = decisions_by_threshold(counted)
    for place, score in enumerate(counted.scores):
        one = decide(counted, threshold=score)
        assert (curve.true_positives[place], curve.false_positives[place]) == (one.true_positives, one.false_positives)
        assert (curve.false_negatives[place], curve.true_negatives[place]) == (one.false_negatives, one.true_negatives)


@pytest.mark.parametrize(
    ("labels", "defined"),
    [
        ([1, 1], set(METRICS) - {"balanced_accuracy", "roc_auc"}),
        ([0, 0], {"accuracy", "brier", "calibration_error", "log_loss", "precision"}),
    ],
)
def test_one_class_leaves_out_what_it_cannot_define(labels: list[int], defined: set[str]) -> None:
    assert set(measure(scored_sample(labels, [0.2, 0.7]), threshold=0.5)) == defined


def test_no_rows_have_no_metric() -> None:
    assert measure(scored_sample([], []), threshold=0.5) == {}


def test_a_score_of_certainty_that_is_wrong_has_a_finite_log_loss() -> None:
    found = measure(scored_sample([1, 0], [0.0, 0.0]), threshold=0.5)
    assert float(found["log_loss"]) == pytest.approx(-np.log(SMALLEST_PROBABILITY) / 2, rel=1e-6)


def test_an_edge_of_the_bins_belongs_to_the_bin_above() -> None:
    assert float(measure(scored_sample([1, 0], [0.3, 0.299999]), threshold=0.5)["calibration_error"]) == pytest.approx(
        (0.7 + 0.299999) / 2
    )


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_score_that_is_no_probability_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1, got 1 of 2 outside"):
        scored_sample([0, 1], [0.5, score])


def test_labels_and_scores_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="a score for every label"):
        scored_sample([0, 1], [0.5])
