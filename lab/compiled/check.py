"""Check that a compiled model is consistent and scores rows, before it is used."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.compiled.estimates import tree_columns
from lab.compiled.parts import Arrays, Column, Columns, Numbers, Part
from lab.compiled.trees import SETS, Trees, trees_of
from lab.core.errors import ModelError

MOST_TREES = 20_000
MOST_COLUMNS = 100_000  # products of features
ROWS_OF_LEVELS = 30


def tested_columns(program: Any, features: Mapping[str, str]) -> Columns:
    """Return test rows for features of these kinds: values with an unknown level, nothing, then known levels."""
    known: dict[str, list[Any]] = {}
    for part in parts_of(program):
        if "levels" in part and "features" in part:
            known |= {name: list(islice(levels, ROWS_OF_LEVELS)) for name, levels in _pairs(part)}
    rows = max(map(len, known.values()), default=0)
    return {name: _tested(kind, known.get(name, []), rows) for name, kind in features.items()}


def check_structure(program: Any, arrays: Arrays, columns: Columns) -> None:
    """Refuse indices that do not exist, cycles, and sizes that disagree: a test row reaches few nodes and levels."""
    for part in parts_of(program):
        if "trees" in part:
            _check_trees(trees_of(part["trees"], arrays), width=tree_columns(part, arrays, columns).shape[1])
        if part.get("kind") == "many_levels":
            for (name, levels), values in zip(_pairs(part), part["values"], strict=True):
                _expect(arrays[values].shape == (len(levels),), f"the levels of {name} have other values")
        if part.get("kind") == "multiply":
            _expect(len(arrays[part["factors"]]) <= MOST_COLUMNS, f"there are more than {MOST_COLUMNS} products")


def check_scores(scores: Callable[[Columns], Numbers], columns: Columns) -> None:
    """Refuse a model whose scores of the test rows, one and many, are no probabilities."""
    rows = len(next(iter(columns.values())))
    for part in (slice(0, 1), slice(0, rows)):
        taken = {name: values[part] for name, values in columns.items()}
        found = scores(taken)
        expected = (len(range(rows)[part]),)
        _expect(found.shape == expected, f"test rows have scores of the shape {found.shape}, expected {expected}")
        _expect(bool(np.all((found >= 0) & (found <= 1))), "a test row has a score that is no probability")


def parts_of(program: Any) -> Iterator[Part]:
    """Yield each mapping in a program, from the outside in."""
    if isinstance(program, Mapping):
        yield program
    if isinstance(program, Mapping | list):
        for inner in program.values() if isinstance(program, Mapping) else program:
            yield from parts_of(inner)


def _pairs(block: Part) -> Iterator[tuple[str, list[Any]]]:
    return zip(block["features"], block["levels"], strict=True)


def _tested(kind: str, levels: list[Any], rows: int) -> Column:
    if kind == "category":
        column = np.empty(rows + 2, dtype=object)
        column[:] = ["no such level", None, *levels, *[None] * (rows - len(levels))]
        return column
    return np.array([1.0, np.nan, *np.ones(rows)])


def _check_trees(trees: Trees, *, width: int) -> None:
    nodes, roots = len(trees.left), trees.roots
    every = np.arange(nodes)
    for name in ("right", "feature", "threshold", "value"):
        _expect(getattr(trees, name).shape == (nodes,), f"the trees have {nodes} nodes, but not for {name}")
    for name in ("missing_left", "sets"):
        _expect(getattr(trees, name).shape in {(nodes,), (0,)}, f"the trees have {nodes} nodes, but not for {name}")
    _expect(0 < len(roots) <= MOST_TREES, f"there are {len(roots)} trees, expected 1 to {MOST_TREES}")
    _expect(roots[0] == 0 and bool(np.all(np.diff(roots) > 0)), "the trees are not one after another")
    inner = every[trees.left != every]
    children = np.concatenate([trees.left[inner], trees.right[inner]])
    parents = np.concatenate([inner, inner])
    _expect(bool(np.all((children > parents) & (children < nodes))), "a tree points to a node that does not exist")
    _expect(np.array_equal(_tree_of(children, roots), _tree_of(parents, roots)), "a tree points to another tree")
    _expect(np.array_equal(np.sort(children), np.setdiff1d(every, roots)), "a node has no parent, or two")
    _expect(bool(np.all(trees.right[trees.left == every] == every[trees.left == every])), "a leaf has a child")
    _expect(bool(np.all((trees.feature >= 0) & (trees.feature < width))), "a tree uses a column that does not exist")
    _expect(bool(np.all(np.isfinite(trees.value))), "a leaf has no finite value")
    _expect(_depth(trees, inner) <= trees.deepest, f"a tree is deeper than {trees.deepest}")
    if trees.sets.size:
        _check_sets(trees, width=width)


def _check_sets(trees: Trees, *, width: int) -> None:
    places = trees.sets
    _expect(bool(np.all((places >= -1) & (places < len(trees.members)))), "a tree uses a set that does not exist")
    _expect(trees.members.shape[1:] == trees.known.shape[1:] == (SETS,), "the sets have another size")
    _expect(len(trees.known) >= min(width, int(trees.feature.max()) + 1), "a column has no known categories")


def _tree_of(nodes: NDArray[np.integer], roots: NDArray[np.integer]) -> NDArray[np.intp]:
    return np.searchsorted(roots, nodes, side="right")


def _depth(trees: Trees, inner: NDArray[np.intp]) -> int:
    """Return the largest number of steps from a root to a leaf."""
    is_inner = np.zeros(len(trees.left), dtype=np.bool_)
    is_inner[inner] = True
    level, depth = trees.roots[is_inner[trees.roots]], 0
    while level.size:
        below = np.concatenate([trees.left[level], trees.right[level]])
        level, depth = below[is_inner[below]], depth + 1
    return depth


def _expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - a condition, not a flag
    if not holds:
        raise ModelError(otherwise)
