"""Nearest neighbours agree with scikit-learn without ties, and average over the ways to break ties."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from lab.models import neighbours
from lab.models.neighbours import NearestNeighbours

RNG = np.random.default_rng(1)
ROWS, LABELS, ASKED = RNG.normal(size=(300, 5)), RNG.integers(0, 2, 300), RNG.normal(size=(40, 5))


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("count", [1, 7, 300])
def test_without_ties_it_agrees_with_scikit_learn(weights: str, count: int) -> None:
    ours = NearestNeighbours(count, weights=weights, algorithm="brute").fit(ROWS, LABELS)
    theirs = KNeighborsClassifier(count, weights=weights, algorithm="kd_tree").fit(ROWS, LABELS)
    np.testing.assert_allclose(ours.predict_proba(ASKED), theirs.predict_proba(ASKED), atol=1e-12)
    assert (ours.predict(ASKED) == theirs.predict(ASKED)).all() or count == 300


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_an_exact_match_scores_its_label(weights: str) -> None:
    model = NearestNeighbours(1, weights=weights).fit(ROWS, LABELS)
    assert (model.predict(ROWS) == LABELS).all()


def test_with_distance_weights_only_exact_matches_count() -> None:
    model = NearestNeighbours(3, weights="distance").fit([[0.0], [0.0], [1.0]], [0, 1, 1])
    assert model.predict_proba([[0.0]])[0, 1] == 0.5


def test_tied_rows_share_the_remaining_places() -> None:
    rows, labels = np.array([[0.0], [1.0], [1.0], [-1.0], [5.0]]), np.array([1, 1, 0, 0, 1])
    ours = NearestNeighbours(2).fit(rows, labels).predict_proba([[0.0]])[0, 1]
    ways = [(1 + labels[[1, 2, 3]][list(order)][0]) / 2 for order in permutations(range(3))]
    assert ours == pytest.approx(np.mean(ways))


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_a_score_depends_neither_on_the_order_nor_on_other_rows(weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = RNG.integers(0, 3, (500, 4)).astype(float), RNG.integers(0, 2, 500)
    asked = RNG.integers(0, 3, (60, 4)) + 0.1
    turned = RNG.permutation(500)
    found = NearestNeighbours(20, weights=weights).fit(rows, labels).predict_proba(asked)
    again = NearestNeighbours(20, weights=weights).fit(rows[turned], labels[turned]).predict_proba(asked)
    np.testing.assert_allclose(again, found, rtol=0, atol=1e-12)
    monkeypatch.setattr(neighbours, "MOST_DISTANCES", 1)
    alone: Any = NearestNeighbours(20, weights=weights).fit(rows, labels).predict_proba(asked)
    assert alone.tobytes() == found.tobytes()


def test_with_fewer_rows_than_neighbours_all_are_neighbours() -> None:
    model = NearestNeighbours(50).fit([[0.0], [1.0], [2.0]], [0, 0, 1])
    assert model.predict_proba([[9.0]])[0, 1] == pytest.approx(1 / 3)


def test_no_rows_have_no_scores() -> None:
    with pytest.raises(ValueError, match="minimum of 1 is required"):
        NearestNeighbours(3).fit(ROWS, LABELS).predict_proba(np.empty((0, 5)))
