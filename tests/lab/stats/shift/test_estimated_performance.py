"""Estimated performance against scikit-learn's weighted metrics, and against the truth."""

import numpy as np
import pytest
from sklearn import metrics

from lab.stats.shift.estimated_performance import estimate_performance

RNG = np.random.default_rng(8)
CHANCES = np.concatenate([RNG.beta(1, 2, 1500).round(2), RNG.beta(2, 1, 500).round(6)])
SCORES = (CHANCES**1.5).round(3)
DECIDED = SCORES >= 0.4


def oracle(metric: object, given: np.ndarray) -> float:
    """Return a metric of every row taken twice: as positive with the weight of its chance, and as negative."""
    labels = np.repeat([1, 0], len(CHANCES))
    weights = np.concatenate([CHANCES, 1 - CHANCES])
    return float(metric(labels, np.tile(given, 2), sample_weight=weights))  # type: ignore[operator]


def test_agrees_with_scikit_learn_on_rows_weighted_by_their_chances() -> None:
    found = estimate_performance(SCORES, DECIDED, CHANCES)
    assert found.roc_auc == pytest.approx(oracle(metrics.roc_auc_score, SCORES), rel=1e-12)
    assert found.accuracy == pytest.approx(oracle(metrics.accuracy_score, DECIDED), rel=1e-12)
    assert found.precision == pytest.approx(oracle(metrics.precision_score, DECIDED), rel=1e-12)
    assert found.recall == pytest.approx(oracle(metrics.recall_score, DECIDED), rel=1e-12)
    assert found.f1 == pytest.approx(oracle(metrics.f1_score, DECIDED), rel=1e-12)


def test_is_the_mean_over_labels_drawn_from_the_chances() -> None:
    areas = [metrics.roc_auc_score(RNG.random(len(CHANCES)) < CHANCES, SCORES) for _ in range(200)]
    assert estimate_performance(SCORES, DECIDED, CHANCES).roc_auc == pytest.approx(np.mean(areas), abs=0.002)


def test_the_order_of_the_rows_changes_nothing() -> None:
    order = RNG.permutation(len(CHANCES))
    there = estimate_performance(SCORES, DECIDED, CHANCES)
    back = estimate_performance(SCORES[order], DECIDED[order], CHANCES[order])
    assert vars(back) == pytest.approx(vars(there), rel=1e-12)


def test_a_changed_concept_is_not_seen() -> None:
    """The promise that the report prints: labels that contradict the chances leave the estimate where it was."""
    assert estimate_performance(SCORES, DECIDED, CHANCES).roc_auc == pytest.approx(0.78, abs=0.1)
    assert metrics.roc_auc_score(RNG.random(len(CHANCES)) < 1 - CHANCES, SCORES) < 0.4


def test_what_cannot_be_had_is_none() -> None:
    sure = estimate_performance([0.1, 0.2], [False, False], [0.0, 0.0])
    assert (sure.accuracy, sure.precision, sure.recall, sure.f1, sure.roc_auc) == (1.0, None, None, None, None)
    assert set(vars(estimate_performance([], [], [])).values()) == {None}


def test_what_is_no_chance_is_refused() -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1, got -1\.0 to 0\.5"):
        estimate_performance([0.1, 0.2], [False, True], [0.5, -1.0])
