"""Column selection agrees with scikit-learn's tests and is deterministic."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.feature_selection import f_classif, mutual_info_classif

from lab.models.selection import SCORES, KeepBest, scores_of

WAYS = sorted(SCORES)
RNG = np.random.default_rng(1)
LABELS = np.tile([0, 1], 200)
NOISE = RNG.normal(size=400)
SIGNAL = LABELS + RNG.normal(size=400)
SWITCH = (LABELS ^ (RNG.random(400) < 0.2)).astype(float)


def kept(columns: list[NDArray[Any]], *, by: str, count: int) -> list[int]:
    step = KeepBest(by, count, 3).fit(np.column_stack(columns), LABELS)
    return np.flatnonzero(step.get_support()).tolist()


def test_anova_agrees_with_scikit_learn() -> None:
    columns = np.column_stack([NOISE, SIGNAL, SWITCH])
    assert scores_of(columns, LABELS, by="anova", seed=1) == pytest.approx(f_classif(columns, LABELS)[0], rel=1e-5)


def test_anova_is_precise_far_from_zero() -> None:
    far = 1e9 + np.round(SIGNAL, 3)
    expected = f_classif(np.round(SIGNAL, 3)[:, None], LABELS)[0]
    assert scores_of(far[:, None], LABELS, by="anova", seed=1) == pytest.approx(expected, rel=1e-4)


def test_a_column_that_separates_the_classes_comes_first() -> None:
    assert kept([SIGNAL, LABELS.astype(float)], by="anova", count=1) == [1]


def test_mutual_information_counts_few_values_and_measures_many() -> None:
    found = scores_of(np.column_stack([SWITCH, SIGNAL]), LABELS, by="mutual_information", seed=3)
    shares = np.histogram2d(LABELS, SWITCH, bins=2)[0] / len(LABELS)
    exact = np.sum(shares * np.log(shares / np.outer(shares.sum(axis=1), shares.sum(axis=0))))
    assert found[0] == pytest.approx(exact, rel=1e-5)
    assert found[1] == pytest.approx(mutual_info_classif(SIGNAL[:, None], LABELS, random_state=3)[0], rel=0.05)


@pytest.mark.parametrize("by", WAYS)
def test_informative_columns_are_selected_and_noise_is_not(by: str) -> None:
    assert kept([NOISE, SIGNAL, RNG.normal(size=400), SWITCH], by=by, count=2) == [1, 3]


@pytest.mark.parametrize("by", ["anova", "mutual_information"])
def test_of_equal_columns_the_first_is_kept(by: str) -> None:
    assert kept([SWITCH, SWITCH, NOISE, 1 - SWITCH], by=by, count=1) == [0]
    assert kept([1 - SWITCH, SWITCH, NOISE], by=by, count=1) == [0]
    assert kept([NOISE, SWITCH, 7 - 3 * SWITCH], by=by, count=1) == [1]


def test_of_many_equal_columns_the_first_ones_are_kept() -> None:
    assert kept([NOISE, *[SIGNAL] * 99], by="anova", count=5) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("by", WAYS)
def test_constant_columns_come_last_and_a_larger_count_selects_all(by: str) -> None:
    columns = [np.full(400, 7.0), SIGNAL, np.zeros(400), NOISE]
    assert kept(columns, by=by, count=2) == [1, 3]
    assert kept(columns, by=by, count=3) == [0, 1, 3]
    assert kept(columns, by=by, count=99) == [0, 1, 2, 3]


@pytest.mark.parametrize("by", WAYS)
def test_of_constant_columns_the_first_are_selected(by: str) -> None:
    assert kept([np.zeros(400), np.ones(400)], by=by, count=1) == [0]


@pytest.mark.parametrize("by", WAYS)
def test_the_last_bits_do_not_decide(by: str) -> None:
    columns = np.column_stack([SIGNAL, NOISE, SWITCH])
    shaken = columns * (1 + np.finfo(float).eps)
    found, again = (scores_of(part, LABELS, by=by, seed=3).tolist() for part in (columns, shaken))
    assert found == again
