"""Contributions of leaves are Shapley values, compared with every subset of the columns."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from lab.compiled.trees import Trees
from lab.reasons.shapley import leaves_of
from tests.lab.explain.oracles import Worth, shapley

COLUMNS = 6
CATEGORIES = 5  # the column whose questions are sets


def grown(rng: np.random.Generator, *, trees: int, deepest: int) -> tuple[Trees, NDArray[np.float64]]:
    """Return random trees that use the same columns repeatedly, and the weight of the rows at each node."""
    nodes: list[dict[str, float]] = []

    def grow(weight: float, depth: int) -> int:
        place = len(nodes)
        nodes.append({"weight": weight, "left": place, "right": place, "value": rng.normal(), "feature": 0})
        if depth < deepest and rng.random() < 0.9:
            share = rng.uniform(0.05, 0.95)
            nodes[place] |= {"feature": int(rng.integers(COLUMNS)), "threshold": rng.normal()}
            nodes[place] |= {"left": grow(weight * share, depth + 1), "right": grow(weight * (1 - share), depth + 1)}
        return place

    roots = [grow(100.0, 0) for _ in range(trees)]
    of = {name: np.array([node.get(name, 0.0) for node in nodes]) for name in ("threshold", "value", "weight")}
    left, right, feature = (np.array([node[name] for node in nodes], np.int32) for name in ("left", "right", "feature"))
    asked = (feature == CATEGORIES) & (left != np.arange(len(nodes)))
    found = Trees(
        np.array(roots, np.int32), feature, of["threshold"], left, right, of["value"],
        missing_left=rng.random(len(nodes)) < 0.5,
        sets=np.where(asked, np.arange(len(nodes)), -1).astype(np.int32),
        members=rng.integers(0, 2**32, size=(len(nodes), 8), dtype=np.uint32),
        known=np.full((COLUMNS, 8), 2**32 - 1, dtype=np.uint32),
        deepest=deepest,
    )  # fmt: skip
    return found, of["weight"]


def worth_of(trees: Trees, weights: NDArray[np.float64], row: NDArray[np.float64]) -> Worth:
    """Return the output of trees when some columns are known; at other nodes both branches count, weighted by rows."""

    def below(node: int, known: frozenset[int]) -> float:
        left, right = int(trees.left[node]), int(trees.right[node])
        if left == node:
            return float(trees.value[node])
        column = int(trees.feature[node])
        if column in known:
            (goes_left,) = trees.goes_left(row[[column]], np.array([node]))
            return below(left if goes_left else right, known)
        return sum(float(weights[way] / weights[node]) * below(way, known) for way in (left, right))

    return cache(lambda known: sum(below(int(root), known) for root in trees.roots))


def rows_of(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return rows with gaps, and categories that are known, unknown and impossible."""
    rows = rng.normal(size=(8, COLUMNS))
    rows[:, CATEGORIES] = [0, 3, 40, 255, 256, -1, np.nan, 7]
    rows[1:4, :2] = np.nan
    return rows


@pytest.mark.parametrize("deepest", [1, 4, 8])
def test_contributions_agree_with_every_subset_of_the_columns(deepest: int) -> None:
    rng = np.random.default_rng(deepest)
    trees, weights = grown(rng, trees=3, deepest=deepest)
    leaves = leaves_of(trees, weights)
    for row in rows_of(rng):
        worth = worth_of(trees, weights, row)
        found = leaves.contributions(row, np.arange(COLUMNS), COLUMNS)
        assert found == pytest.approx(shapley(worth, COLUMNS), abs=1e-12)
        assert leaves.base == pytest.approx(worth(frozenset()), abs=1e-12)
        assert leaves.base + found.sum() == pytest.approx(trees.leaf_values(row[None, :]).sum(), abs=1e-12)


def test_columns_of_one_feature_are_summed() -> None:
    rng = np.random.default_rng(5)
    leaves, row = leaves_of(*grown(rng, trees=4, deepest=6)), rows_of(rng)[0]
    apart = leaves.contributions(row, np.arange(COLUMNS), COLUMNS)
    together = leaves.contributions(row, np.array([1, 1, 0, 0, 1, 0]), 3)
    assert together == pytest.approx([apart[[2, 3, 5]].sum(), apart[[0, 1, 4]].sum(), 0.0], abs=1e-12)


def test_trees_that_ask_nothing_move_nothing() -> None:
    trees, weights = grown(np.random.default_rng(1), trees=3, deepest=0)
    leaves = leaves_of(trees, weights)
    assert leaves.base == pytest.approx(trees.value.sum())
    assert leaves.contributions(np.zeros(COLUMNS), np.arange(COLUMNS), COLUMNS).tolist() == [0.0] * COLUMNS


def test_many_leaves_are_taken_in_blocks_and_give_the_same() -> None:
    rng = np.random.default_rng(2)
    trees, weights = grown(rng, trees=40, deepest=9)
    leaves, row = leaves_of(trees, weights), rows_of(rng)[0]
    assert len(leaves.blocks) > 2 * len({len(block.points) for block in leaves.blocks})
    found = leaves.contributions(row, np.arange(COLUMNS), COLUMNS)
    assert leaves.base + found.sum() == pytest.approx(trees.leaf_values(row[None, :]).sum(), abs=1e-9)
