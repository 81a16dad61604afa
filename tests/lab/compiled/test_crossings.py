"""QuickScorer finds the same leaves as a walk, also for missing values."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from lab.compile.compile import Writer
from lab.compile.nodes import FittedTrees, fitted_trees, histogram_trees, trees_part
from lab.compiled.crossings import BLOCK_SIZE, quick_scorer_of
from lab.compiled.trees import Trees, trees_of

ROWS = 3000


@cache
def table() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(ROWS, 5)).round(2)
    labels = (rows[:, 0] * rows[:, 1] + np.sin(3 * rows[:, 2]) + rng.normal(size=ROWS) > 0).astype(int)
    return rows, labels


def with_gaps(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.random.default_rng(8).random(rows.shape) < 0.1, np.nan, rows)


def hard(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of which a tenth of the values is missing, and a few are infinite."""
    rng = np.random.default_rng(9)
    return np.where(rng.random(rows.shape) < 0.01, rng.choice([np.inf, -np.inf], rows.shape), with_gaps(rows))


def laid_out(grown: FittedTrees) -> Trees:
    writer = Writer(sample=None)  # type: ignore[arg-type]  # it is only kept for preparations
    return trees_of(trees_part(grown, keep=writer.keep), writer.arrays)


def boosted(**settings: Any) -> Trees:
    rows, labels = table()
    model = HistGradientBoostingClassifier(max_iter=12, early_stopping=False, **settings)
    return laid_out(histogram_trees(model.fit(with_gaps(rows), labels)))


def grown(**settings: Any) -> Trees:
    model = RandomForestClassifier(8, random_state=1, **settings).fit(*table())
    return laid_out(fitted_trees([tree.tree_ for tree in model.estimators_], lambda value: value[:, 1]))


def assert_same_leaves(trees: Trees, rows: NDArray[np.floating]) -> None:
    crossings = quick_scorer_of(trees)
    assert crossings is not None
    assert crossings.leaf_values(rows).tolist() == trees.leaf_values(rows).tolist()


@pytest.mark.parametrize(("leaves", "bits"), [(2, 8), (8, 8), (9, 16), (16, 16), (17, 32), (33, 64), (64, 64)])
def test_the_leaves_are_those_of_a_walk(leaves: int, bits: int) -> None:
    trees = boosted(max_leaf_nodes=leaves, min_samples_leaf=5)
    crossings = quick_scorer_of(trees)
    assert crossings is not None
    assert crossings.kept.dtype == np.dtype(f"uint{bits}")
    rows = hard(table()[0])
    assert_same_leaves(trees, rows)
    for place in range(20):
        assert_same_leaves(trees, rows[[place]])


def test_rows_of_several_blocks_keep_their_order() -> None:
    trees = boosted(max_leaf_nodes=64, min_samples_leaf=5)
    rows = hard(table()[0])
    assert len(rows) * len(trees.roots) * 63 > 5 * BLOCK_SIZE
    assert_same_leaves(trees, rows)


def test_trees_of_different_sizes_are_scored_together() -> None:
    trees = grown(max_leaf_nodes=40, min_samples_leaf=60)
    sizes = np.diff([*trees.roots, len(trees.left)])
    assert len(set(sizes.tolist())) > 1
    assert_same_leaves(trees, table()[0].astype(np.float32))


def test_a_tree_may_be_a_single_leaf() -> None:
    assert_same_leaves(boosted(min_samples_leaf=ROWS), hard(table()[0])[:50])


def test_categories_are_matched_by_their_sets() -> None:
    rows, labels = table()
    rng = np.random.default_rng(9)
    asked = np.column_stack([rng.integers(0, 30, ROWS), rows[:, 0]])
    labels = labels ^ np.isin(asked[:, 0], [1, 4, 9, 16, 25])
    model = HistGradientBoostingClassifier(categorical_features=[0], max_iter=12, early_stopping=False)
    trees = laid_out(histogram_trees(model.fit(asked, labels)))
    assert (trees.sets >= 0).any()
    unseen = np.column_stack([[*range(-3, 260), np.nan, np.inf, 0.5], np.zeros(266)])
    assert_same_leaves(trees, asked)
    assert_same_leaves(trees, unseen)


def test_trees_with_too_many_leaves_are_walked() -> None:
    assert quick_scorer_of(grown(max_leaf_nodes=64)) is not None
    assert quick_scorer_of(grown(max_leaf_nodes=65)) is None
