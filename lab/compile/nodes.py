"""Convert the trees of a fitted model to flat arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Keep = Callable[[ArrayLike], str]
NO_SET = -1


@dataclass(frozen=True)
class Tree:
    """One tree; children and features of leaves are unused."""

    leaf: NDArray[np.bool_]
    feature: NDArray[Any]
    threshold: Numbers
    left: NDArray[Any]
    right: NDArray[Any]
    value: Numbers
    missing_left: NDArray[np.bool_] | None = None
    sets: NDArray[Any] | None = None
    members: NDArray[np.uint32] | None = None


@dataclass(frozen=True)
class FittedTrees:
    """All trees of a model; `known` has the categories of training by column."""

    trees: Sequence[Tree]
    known: NDArray[np.uint32]


def fitted_trees(trees: Sequence[Any], value_of: Callable[[Numbers], Numbers]) -> FittedTrees:
    """Return scikit-learn's trees, which have no missing values; `value_of` converts the values of nodes."""
    found = [
        Tree(
            tree.children_left == -1,
            tree.feature,
            tree.threshold,
            tree.children_left,
            tree.children_right,
            value_of(tree.value[:, 0, :]),
        )
        for tree in trees
    ]
    return FittedTrees(found, np.empty((0, 8), dtype=np.uint32))


def histogram_trees(fitted: Any) -> FittedTrees:
    """Return the trees of histogram gradient boosting, with missing values and categories."""
    known, place_of = fitted._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001 - used by its predictions
    by_column = known[place_of] if len(known) else np.empty((0, 8), dtype=np.uint32)
    return FittedTrees([_histogram_tree(stage[0]) for stage in fitted._predictors], by_column)  # noqa: SLF001 - as above


def _histogram_tree(predictor: Any) -> Tree:
    nodes = predictor.nodes
    return Tree(
        nodes["is_leaf"] == 1,
        nodes["feature_idx"],
        nodes["num_threshold"],
        nodes["left"],
        nodes["right"],
        nodes["value"],
        nodes["missing_go_to_left"] == 1,
        np.where(
            (nodes["is_categorical"] == 1) & (nodes["is_leaf"] == 0), nodes["bitset_idx"].astype(np.int64), NO_SET
        ),
        predictor.raw_left_cat_bitsets,
    )


def trees_part(fitted: FittedTrees, *, keep: Keep) -> dict[str, Any]:
    """Return the part of a program with the names of all arrays of trees."""
    trees = fitted.trees
    starts = np.cumsum([0, *(len(tree.leaf) for tree in trees)])[:-1]
    joined = {
        "roots": starts.astype(np.int32),
        "feature": _joined([np.where(tree.leaf, 0, tree.feature) for tree in trees], np.int32),
        "threshold": _joined([np.where(tree.leaf, 0.0, tree.threshold) for tree in trees], np.float64),
        "left": _joined([_child(tree, tree.left, start) for tree, start in zip(trees, starts, strict=True)], np.int32),
        "right": _joined(
            [_child(tree, tree.right, start) for tree, start in zip(trees, starts, strict=True)], np.int32
        ),
        "value": _joined([tree.value for tree in trees], np.float64),
        **_gaps(trees),
        **_sets(fitted),
    }
    return {**{name: keep(values) for name, values in joined.items()}, "deepest": max(map(_depth, trees))}


def _joined(parts: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(kind)


def _child(tree: Tree, child: NDArray[Any], start: int) -> NDArray[np.int64]:
    return start + np.where(tree.leaf, np.arange(len(tree.leaf)), child.astype(np.int64))


def _gaps(trees: Sequence[Tree]) -> dict[str, NDArray[Any]]:
    kept = [tree.missing_left for tree in trees if tree.missing_left is not None]
    return {"missing_left": np.concatenate(kept) if kept else np.empty(0, dtype=np.bool_)}


def _sets(fitted: FittedTrees) -> dict[str, NDArray[Any]]:
    """Return the set of categories of each node, numbered over all trees; empty arrays without categories."""
    empty = np.empty((0, 8), dtype=np.uint32)
    own = [(tree.sets, tree.members) for tree in fitted.trees if tree.sets is not None and tree.members is not None]
    if not any((sets >= 0).any() for sets, _ in own):
        return {"sets": np.empty(0, dtype=np.int32), "members": empty, "known": empty}
    starts = np.cumsum([0, *(len(members) for _, members in own)])[:-1]
    numbered = [np.where(sets >= 0, sets + start, NO_SET) for (sets, _), start in zip(own, starts, strict=True)]
    members = np.concatenate([members for _, members in own])
    return {"sets": _joined(numbered, np.int32), "members": members.astype(np.uint32), "known": fitted.known}


def _depth(tree: Tree) -> int:
    depth = np.zeros(len(tree.leaf), dtype=np.int64)
    for node in np.flatnonzero(~tree.leaf):  # children come after their parent
        depth[[int(tree.left[node]), int(tree.right[node])]] = depth[node] + 1
    return int(depth.max())
