"""Areas under the ROC curve against scikit-learn and the definition of DeLong's variance."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lab.stats.core.areas import (
    Area,
    AreaComparison,
    area_under_curve,
    area_variance,
    area_variance_by_unit,
    compare_areas,
    compare_independent_areas,
)

RNG = np.random.default_rng(3)
LABELS = RNG.random(400) < 0.3
FIRST = np.round(RNG.normal(LABELS, 1.5), 1)  # one decimal: many ties
SECOND = np.round(RNG.normal(LABELS, 1.2) + FIRST / 2, 1)


def placements(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return, for every pair of a positive and a negative row, whether the positive one scores above; ties half."""
    positive, negative = scores[labels][:, None], scores[~labels][None, :]
    wins: np.ndarray[Any, Any] = (positive > negative) + 0.5 * (positive == negative)
    return wins


def test_the_area_agrees_with_scikit_learn() -> None:
    assert area_under_curve(LABELS, FIRST).value == pytest.approx(roc_auc_score(LABELS, FIRST), rel=1e-12)


def test_the_covariance_is_that_of_the_definition() -> None:
    pairs = [placements(LABELS, scores) for scores in (FIRST, SECOND)]
    expected = sum(np.cov([pair.mean(axis=axis) for pair in pairs]) / pairs[0].shape[1 - axis] for axis in (0, 1))
    areas = compare_areas(LABELS, FIRST, SECOND)
    assert np.array(areas.covariance) == pytest.approx(expected, rel=1e-9)
    assert areas.standard_error == pytest.approx(np.sqrt(expected[0, 0] + expected[1, 1] - 2 * expected[0, 1]))


def test_swapping_the_models_only_flips_the_sign() -> None:
    forth, back = compare_areas(LABELS, FIRST, SECOND), compare_areas(LABELS, SECOND, FIRST)
    assert forth.difference == -back.difference
    assert forth.p_value == pytest.approx(back.p_value, rel=1e-12)


def test_the_order_of_the_rows_changes_nothing() -> None:
    order = RNG.permutation(len(LABELS))
    forth, back = compare_areas(LABELS, FIRST, SECOND), compare_areas(LABELS[order], FIRST[order], SECOND[order])
    assert forth.difference == back.difference
    assert forth.p_value == pytest.approx(back.p_value, rel=1e-9)


def test_any_increasing_change_of_scale_is_the_same_model() -> None:
    areas = compare_areas(LABELS, FIRST, np.exp(FIRST))
    assert (areas.difference, areas.p_value, areas.low, areas.high) == (0.0, 1.0, 0.0, 0.0)


def compare_samples(*areas: Area) -> AreaComparison:
    first, second = ((area.value, area_variance(area)) for area in areas)
    return compare_independent_areas(first, second)


def test_scores_that_are_all_equal_rank_nothing() -> None:
    areas = compare_areas(LABELS, np.ones(400), np.ones(400))
    assert (areas.first, areas.difference, areas.p_value) == (0.5, 0.0, 1.0)


def test_a_pairing_that_helps_gives_a_narrower_interval_than_two_samples_would() -> None:
    paired = compare_areas(LABELS, FIRST, SECOND)
    apart = compare_samples(area_under_curve(LABELS, FIRST), area_under_curve(LABELS, SECOND))
    assert (paired.standard_error or 1) < (apart.standard_error or 0)
    assert apart.difference == paired.difference


def test_samples_of_one_distribution_have_the_variance_of_both() -> None:
    pair = placements(LABELS, FIRST)
    variance = sum(np.var(pair.mean(axis=axis), ddof=1) / pair.shape[1 - axis] for axis in (0, 1))
    area = area_under_curve(LABELS, FIRST)
    assert compare_samples(area, area).standard_error == pytest.approx(np.sqrt(2 * variance))


def test_a_single_positive_row_gives_no_p_value_and_says_why() -> None:
    labels = np.arange(10) == 0
    areas = compare_areas(labels, np.arange(10), np.arange(10)[::-1])
    assert (areas.first, areas.second, areas.p_value) == (0.0, 1.0, None)
    assert "only one row of a class" in areas.reason
    alone = compare_samples(area_under_curve(labels, np.arange(10)), area_under_curve(LABELS, FIRST))
    assert alone.p_value is None


def test_a_difference_without_spread_gives_no_p_value() -> None:
    labels = [0, 0, 1, 1]
    areas = compare_areas(labels, [4, 3, 2, 1], [1, 2, 3, 4])
    assert (areas.difference, areas.p_value) == (1.0, None)
    assert "its variance cannot be estimated" in areas.reason


def test_one_class_has_no_area() -> None:
    with pytest.raises(ValueError, match="the area is undefined: 3 of 3 rows are positive"):
        area_under_curve([1, 1, 1], [0.1, 0.2, 0.3])


def test_a_missing_score_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a score in every row, got 1 missing ones"):
        area_under_curve([0, 1], [0.1, np.nan])


def test_rows_without_units_in_common_have_delongs_variance() -> None:
    rng = np.random.default_rng(9)
    labels = rng.random(2000) < 0.3
    area = area_under_curve(labels, labels + rng.normal(size=2000))
    assert area_variance_by_unit(area, labels, np.arange(2000)) == pytest.approx(area_variance(area), rel=0.01)


def test_the_variance_by_unit_is_that_of_samples_of_units() -> None:
    rng = np.random.default_rng(10)
    values, estimates = [], []
    for _ in range(400):
        own, label = rng.normal(size=100), rng.random(100) < 0.4
        labels, units = np.repeat(label, 4), np.repeat(np.arange(100), 4)
        area = area_under_curve(labels, labels + np.repeat(own, 4) + 0.3 * rng.normal(size=400))
        values.append(area.value)
        estimates.append(area_variance_by_unit(area, labels, units))
    assert np.mean(np.array(estimates, dtype=float)) == pytest.approx(np.var(values, ddof=1), rel=0.2)
