"""Check indices and sizes in a loaded model that native code follows without checks."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.svm import SVC
from sklearn.tree._tree import TREE_LEAF, Tree

from lab.core.errors import ModelError

CURE = "Cure: compute it again, dvc repro --force"


def check_trees(model: object) -> None:
    """Refuse a model with tree indices out of range or in a cycle, or with inconsistent support vectors."""
    _check(model, features=0, seen=set())


def _check(value: Any, *, features: int, seen: set[tuple[int, int]]) -> None:
    """Check a part of a model and everything in it; the narrowest part around a tree gives its number of features."""
    if isinstance(value, Tree):
        _check_tree(value, features=features)
    elif isinstance(value, TreePredictor):
        _check_predictor(value, features=features)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, features=features, seen=seen)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        _check(value.ravel().tolist(), features=features, seen=seen)
    elif isinstance(value, dict) or hasattr(value, "__dict__"):
        if (id(value), features) in seen:
            return
        seen.add((id(value), features))
        members = value if isinstance(value, dict) else vars(value)
        own = members.get("n_features_in_", features)
        _check(list(members.values()), features=min(own, features) if features else own, seen=seen)
        if isinstance(value, SVC) and "support_vectors_" in members:
            _check_vectors(value)


def _check_tree(tree: Tree, *, features: int) -> None:
    inner = np.flatnonzero(np.asarray(tree.children_left) != TREE_LEAF)
    _check_indices(
        inner,
        (tree.children_left[inner], tree.children_right[inner]),
        tree.feature[inner],
        tree.node_count,
        min(features, tree.n_features),
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
    """Refuse a child that does not come after its parent, and an unknown feature."""
    for places in map(np.asarray, children):
        if np.any(places.astype(np.int64) <= inner) or np.any(places.astype(np.int64) >= nodes):
            raise ModelError(_message("a node"))
    if np.any(np.asarray(used) < 0) or np.any(np.asarray(used) >= features):
        raise ModelError(_message("a feature"))


def _check_vectors(machine: SVC) -> None:
    """Refuse support vectors whose count or width disagrees with the rest of the machine."""
    count, width = np.asarray(machine.support_vectors_).shape
    classes = np.asarray(machine._n_support)  # noqa: SLF001 - used by its predictions
    expected = {"support_": (count,), "_dual_coef_": (1, count), "_intercept_": (1,)}
    if (
        (machine.kernel, machine._impl, machine._sparse) != ("rbf", "c_svc", False)  # noqa: SLF001
        or width != machine.n_features_in_
        or classes.shape != (2,)
        or np.any(classes < 0)
        or classes.sum() != count
        or any(np.shape(getattr(machine, name)) != shape for name, shape in expected.items())
    ):
        raise ModelError(f"the model has inconsistent support vectors. {CURE}")


def _message(what: str) -> str:
    return f"the model has a tree that points to {what} that does not exist. {CURE}"
