"""Average precision against scikit-learn, its influences against derivatives, its interval against simulations."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score

from lab.stats.models.average_precisions import (
    average_precision_interval,
    average_precision_of,
    compare_average_precisions,
)

RNG = np.random.default_rng(4)
LABELS = RNG.random(60) < 0.4
FIRST = (RNG.normal(size=60) + LABELS).round(1)  # one decimal: many ties
SECOND = (RNG.normal(size=60) + FIRST / 2 + LABELS).round(1)


def test_the_value_is_scikit_learns() -> None:
    assert average_precision_of(LABELS, FIRST).value == pytest.approx(average_precision_score(LABELS, FIRST), rel=1e-12)


def test_an_influence_is_the_derivative_by_the_weight_of_its_row() -> None:
    step = 1e-6
    expected = []
    for place in range(len(LABELS)):
        weights = np.ones(len(LABELS))
        ends = []
        for sign in (1, -1):
            weights[place] = 1 + sign * step
            ends.append(average_precision_score(LABELS, FIRST, sample_weight=weights))
        expected.append((ends[0] - ends[1]) / (2 * step))
    assert average_precision_of(LABELS, FIRST).influences == pytest.approx(np.array(expected), abs=1e-9)


def test_swapping_the_models_only_flips_the_sign() -> None:
    forth, back = (compare_average_precisions(LABELS, *pair) for pair in ((FIRST, SECOND), (SECOND, FIRST)))
    assert (forth.difference, forth.p_value) == (-back.difference, back.p_value)
    assert (forth.low, forth.high) == pytest.approx((-(back.high or 0), -(back.low or 0)))


def test_equal_rankings_have_p_value_1() -> None:
    found = compare_average_precisions(LABELS, FIRST, 10 * FIRST + 3)
    assert (found.difference, found.p_value, found.low, found.high) == (0.0, 1.0, 0.0, 0.0)
    assert "rank every pair of rows equally" in found.reason


def test_the_order_of_rows_does_not_matter() -> None:
    found = compare_average_precisions(LABELS, FIRST, SECOND)
    turned = compare_average_precisions(LABELS[::-1], FIRST[::-1], SECOND[::-1])
    assert turned.p_value == pytest.approx(found.p_value, rel=1e-12)


def test_a_sample_without_positives_is_refused() -> None:
    with pytest.raises(ValueError, match=r"and a positive row, got .* and 0 positive rows"):
        average_precision_of([0, 0], [0.1, 0.2])


@pytest.mark.slow
def test_intervals_cover_the_truth_and_equal_models_are_rarely_called_different() -> None:
    rng = np.random.default_rng(12)
    labels = rng.random(1_000_000) < 0.3
    truth = average_precision_score(labels, rng.normal(labels * 1.2, 1))
    covered = called = 0
    for _ in range(400):
        labels = rng.random(1000) < 0.3
        shared = rng.normal(0, 0.6, 1000)
        scores = [labels * 1.2 + shared + rng.normal(0, 0.8, 1000) for _ in range(2)]
        low, high = average_precision_interval(average_precision_of(labels, scores[0]))
        covered += (low or 0) <= truth <= (high or 0)
        called += (compare_average_precisions(labels, *scores).p_value or 0) < 0.05
    lowest, highest = (int(stats.binom.ppf(share, 400, 0.05)) for share in (5e-5, 1 - 5e-5))
    assert lowest <= 400 - covered <= highest
    assert lowest <= called <= highest
