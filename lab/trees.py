"""Check the trees of a loaded model: scikit-learn follows their indices without looking, out of memory if need be."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree._tree import TREE_LEAF, Tree

from lab.errors import ModelError


def check_trees(model: object) -> None:
    """Refuse a model that holds a tree whose indices lead out of it, or round in a circle."""
    _check(model, features=0, seen=set())


def _check(value: Any, *, features: int, seen: set[int]) -> None:
    if isinstance(value, Tree):
        _check_tree(value)
    elif isinstance(value, TreePredictor):
        _check_predictor(value, features=features)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, features=features, seen=seen)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        _check(value.ravel().tolist(), features=features, seen=seen)
    elif isinstance(value, dict) or hasattr(value, "__dict__"):
        if id(value) in seen:
            return
        seen.add(id(value))
        members = value if isinstance(value, dict) else vars(value)
        inner = members.get("n_features_in_", features)
        _check(list(members.values()), features=inner, seen=seen)


def _check_tree(tree: Tree) -> None:
    inner = np.flatnonzero(np.asarray(tree.children_left) != TREE_LEAF)
    _check_indices(
        inner,
        (tree.children_left[inner], tree.children_right[inner]),
        tree.feature[inner],
        tree.node_count,
        tree.n_features,
    )


def _check_predictor(predictor: TreePredictor, *, features: int) -> None:
    nodes = predictor.nodes
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    children = nodes["left"][inner], nodes["right"][inner]
    _check_indices(inner, children, nodes["feature_idx"][inner], len(nodes), features)
    bitsets = nodes["bitset_idx"][inner][nodes["is_categorical"][inner] != 0]
    if np.any(bitsets >= len(predictor.raw_left_cat_bitsets)):
        raise ModelError(_message("a set of categories"))


def _check_indices(
    inner: NDArray[np.intp], children: tuple[ArrayLike, ArrayLike], used: ArrayLike, nodes: int, features: int
) -> None:
    """Refuse a child that is not further on than its parent, and a feature that is not there."""
    for places in map(np.asarray, children):
        if np.any(places.astype(np.int64) <= inner) or np.any(places.astype(np.int64) >= nodes):
            raise ModelError(_message("a node"))
    if np.any(np.asarray(used) < 0) or np.any(np.asarray(used) >= features):
        raise ModelError(_message("a feature"))


def _message(what: str) -> str:
    return (
        f"the model holds a tree that points to {what} that it does not have. Cure: derive it again, dvc repro --force"
    )
