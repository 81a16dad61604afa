"""The loss by shuffling equals scikit-learn's difference, and its interval covers."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from lab.stats.core.areas import compare_areas
from lab.stats.models.shuffled_areas import area_lost

Numbers = NDArray[np.float64]


def drawn(rng: np.random.Generator, rows: int) -> tuple[NDArray[np.bool_], Numbers, Numbers]:
    """Return labels and the two numbers that they depend on, the first more than the second."""
    first, second = rng.normal(size=(2, rows))
    labels = rng.random(rows) < 1 / (1 + np.exp(-(1.2 * first + 0.3 * second)))
    return labels, first, second


def drawn_by_unit(rng: np.random.Generator, units: int) -> tuple[NDArray[np.bool_], Numbers, Numbers]:
    """Return ten rows of each unit; the first number is that of the unit, whose level the labels share too."""
    first, level = (np.repeat(rng.normal(size=units), 10) for _ in range(2))
    second = rng.normal(size=len(first))
    return rng.random(len(first)) < 1 / (1 + np.exp(-(1.2 * first + 0.3 * second + level))), first, second


def score(first: Numbers, second: Numbers) -> Any:
    return 1.2 * first + 0.3 * second


def test_the_loss_is_the_mean_difference_of_areas() -> None:
    rng = np.random.default_rng(3)
    labels, first, second = drawn(rng, 300)
    scores = score(first, second).round(1)  # with ties
    shuffled = [score(rng.permutation(first), second).round(1) for _ in range(4)]
    expected = roc_auc_score(labels, scores) - np.mean([roc_auc_score(labels, values) for values in shuffled])
    assert area_lost(labels, scores, shuffled).value == pytest.approx(expected, abs=1e-12)


def test_one_shuffle_is_compared_as_a_second_model_would_be() -> None:
    rng = np.random.default_rng(4)
    labels, first, second = drawn(rng, 200)
    other = score(first, rng.permutation(second))
    seen, expected = (
        area_lost(labels, score(first, second), [other]),
        compare_areas(labels, other, score(first, second)),
    )
    assert seen.low == pytest.approx(expected.low)
    assert seen.high == pytest.approx(expected.high)


def test_one_shuffle_by_unit_is_compared_as_a_second_model_would_be() -> None:
    rng = np.random.default_rng(4)
    labels, first, second = drawn(rng, 200)
    other, units = score(first, rng.permutation(second)), np.arange(200) // 4
    seen = area_lost(labels, score(first, second), [other], units=units)
    expected = compare_areas(labels, other, score(first, second), units=units)
    assert (seen.low, seen.high) == pytest.approx((expected.low, expected.high))
    few = area_lost(labels, score(first, second), [other], units=np.arange(200) % 5)
    assert (few.low, few.high, few.noise) == (None, None, True)


def test_scores_that_no_shuffle_moves_lose_nothing_and_that_is_noise() -> None:
    labels, scores = [0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4]
    seen = area_lost(labels, scores, [scores, scores])
    assert (seen.value, seen.low, seen.high, seen.noise) == (0, 0, 0, True)


def test_one_row_of_a_class_has_no_interval_and_counts_as_noise() -> None:
    seen = area_lost([0, 0, 1], [0.1, 0.2, 0.9], [[0.9, 0.2, 0.1]])
    assert (seen.value, seen.low, seen.high, seen.noise) == (1.0, None, None, True)


@pytest.mark.slow
def test_the_interval_by_unit_covers_where_that_of_rows_does_not() -> None:
    labels, first, second = drawn_by_unit(rng := np.random.default_rng(0), 100_000)
    truth = roc_auc_score(labels, score(first, second)) - roc_auc_score(labels, score(rng.permutation(first), second))
    covered = np.zeros(2)
    for draw in range(500):
        rng = np.random.default_rng([1, draw])
        labels, first, second = drawn_by_unit(rng, 150)
        shuffled = [score(rng.permutation(first), second) for _ in range(5)]
        for place, units in enumerate((np.arange(1500) // 10, None)):
            seen = area_lost(labels, score(first, second), shuffled, units=units)
            covered[place] += (seen.low or 0) <= truth <= (seen.high or 0)
    assert covered[0] / 500 == pytest.approx(0.95, abs=0.03)
    assert covered[1] / 500 < 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "shuffles"), [(200, 1), (200, 5), (1000, 5)])
def test_the_interval_covers_the_truth_over_new_rows_and_new_shuffles(rows: int, shuffles: int) -> None:
    rng = np.random.default_rng(0)
    labels, first, second = drawn(rng, 1_000_000)
    clean = roc_auc_score(labels, score(first, second))
    truths = (
        clean - roc_auc_score(labels, score(rng.permutation(first), second)),
        clean - roc_auc_score(labels, score(first, rng.permutation(second))),
    )
    covered = np.zeros(2)
    for draw in range(500):
        rng = np.random.default_rng([1, draw])
        labels, first, second = drawn(rng, rows)
        seen = (
            area_lost(labels, score(first, second), [score(rng.permutation(first), second) for _ in range(shuffles)]),
            area_lost(labels, score(first, second), [score(first, rng.permutation(second)) for _ in range(shuffles)]),
        )
        covered += [
            abs(one.value - truth) <= (one.high or 0) - one.value for one, truth in zip(seen, truths, strict=True)
        ]
    # 500 draws of an event of 0.95 lie within three standard errors of it, 0.03.
    assert covered / 500 == pytest.approx(0.95, abs=0.03)
