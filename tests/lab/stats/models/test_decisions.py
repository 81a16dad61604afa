"""Resampling the table equals a plain bootstrap of the rows."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from lab.stats.models.decisions import compare_decisions, count_decisions

RNG = np.random.default_rng(12)
LABELS = RNG.random(300) < 0.4
FIRST = np.where(RNG.random(300) < 0.75, LABELS, ~LABELS)
SECOND = np.where(RNG.random(300) < 0.8, LABELS, ~LABELS)
CELLS = count_decisions(LABELS, FIRST, SECOND)
METRICS = {"accuracy": accuracy_score, "precision": precision_score, "recall": recall_score, "f1": f1_score}


def compared(cells: np.ndarray[Any, Any], *, seed: int = 1, resamples: int = 4000) -> Any:
    return compare_decisions(cells, resamples=resamples, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("metric", METRICS)
def test_the_metrics_agree_with_scikit_learn(metric: str) -> None:
    seen = compared(CELLS)[metric]
    assert seen.first == pytest.approx(METRICS[metric](LABELS, FIRST))
    assert seen.second == pytest.approx(METRICS[metric](LABELS, SECOND))
    assert seen.difference == pytest.approx(seen.second - seen.first)


def test_the_interval_is_that_of_drawing_rows() -> None:
    rng = np.random.default_rng(2)
    rows = rng.integers(0, 300, (4000, 300))
    hits = [(LABELS & decided)[rows].sum(axis=1) for decided in (FIRST, SECOND)]
    said = [LABELS[rows].sum(axis=1) + decided[rows].sum(axis=1) for decided in (FIRST, SECOND)]
    differences = 2 * hits[1] / said[1] - 2 * hits[0] / said[0]
    seen = compared(CELLS)["f1"]
    assert seen.standard_error == pytest.approx(np.std(differences), rel=0.06)
    assert (seen.low, seen.high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])), abs=0.01)


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert compared(CELLS) == compared(CELLS)
    assert compared(CELLS) != compared(CELLS, seed=2)


@pytest.mark.parametrize("metric", METRICS)
def test_identical_models_do_not_differ(metric: str) -> None:
    seen = compared(count_decisions(LABELS, FIRST, FIRST))[metric]
    assert (seen.difference, seen.low, seen.high, seen.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_swapping_the_models_flips_the_sign() -> None:
    forth, back = compared(CELLS)["f1"], compared(CELLS.swapaxes(1, 2))["f1"]
    assert forth.difference == -back.difference
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low), abs=0.01)


def test_no_number_of_resamples_can_prove_a_difference_beyond_itself() -> None:
    seen = compared(count_decisions(LABELS, ~LABELS, LABELS), resamples=1000)["accuracy"]
    assert seen.p_value == pytest.approx(2 / 1001)


def test_a_model_that_decides_nothing_positive_says_so() -> None:
    seen = compared(count_decisions(LABELS, np.zeros(300), SECOND))["precision"]
    assert (seen.first, seen.reason) == (0.0, "denominator 0, ratio set to 0")


def test_rows_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="three columns of equal length"):
        count_decisions(LABELS, FIRST, SECOND[:-1])
