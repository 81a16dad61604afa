"""Find the leaves of small trees without a walk: every node is asked at once, and its answer crosses out leaves.

A node that sends a row to the right crosses out all leaves on its left; the first leaf of a tree that no node crossed
out is the row's (Lucchese et al., 2015, QuickScorer, SIGIR). A tree's leaves are bits of one number, so they are few.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.compiled.parts import Numbers
from lab.compiled.trees import Trees

WIDTHS = (8, 16, 32, 64)
ANSWERS_AT_ONCE = 131_072  # so many rows times nodes are asked side by side: what they need stays in the cache
Bits = NDArray[np.unsignedinteger]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Crossings:
    """The inner nodes of all trees: the first of each tree, then the second of each, so that rows lie side by side.

    A tree with fewer nodes repeats its root, which crosses out what it did before. `column` is where a node finds its
    values, `kept` are the leaves that a right turn leaves over; the leaves of a tree are one line of `values`.
    """

    trees: Trees
    nodes: Places
    column: Places
    threshold: Numbers
    kept: Bits
    sets: Places
    values: Numbers

    def leaf_values(self, rows: NDArray[np.floating]) -> Numbers:
        """Return the value of each row's leaf in each tree, a row a line."""
        step = max(1, ANSWERS_AT_ONCE // len(self.nodes))
        parts = [self._found(rows[start : start + step]) for start in range(0, len(rows), step)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _found(self, rows: NDArray[np.floating]) -> Numbers:
        left = self._goes_left(rows.T).astype(self.kept.dtype)
        kept = (self.kept | -left).reshape(-1, len(self.values), len(rows))  # minus one is every bit
        still = np.bitwise_and.reduce(kept, axis=0)
        first = np.bitwise_count((still & -still) - 1).T
        found: Numbers = np.take(self.values, first + np.arange(len(self.values)) * self.values.shape[1])
        return found

    def _goes_left(self, columns: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return a line for each node: whether it sends each row to the left.

        All columns are there twice: once missing is no number, which no threshold reaches, once it is below them all.
        """
        both = np.stack([columns, np.where(np.isnan(columns), -np.inf, columns)], axis=1)
        values = both.reshape(-1, columns.shape[1])[self.column]
        left: NDArray[np.bool_] = values <= self.threshold
        if self.sets.size:
            nodes = np.repeat(self.nodes[self.sets], columns.shape[1])
            left[self.sets] = self.trees.goes_left(values[self.sets].ravel(), nodes).reshape(len(self.sets), -1)
        return left


def crossings_of(trees: Trees) -> Crossings | None:
    """Return the crossings of trees; None where a tree has more leaves than a number has bits."""
    leaf = trees.left == np.arange(len(trees.left))
    most = int(np.add.reduceat(leaf.astype(np.intp), trees.roots).max())
    if most > WIDTHS[-1]:
        return None
    below, first = _leaves_of(trees)
    values = np.zeros((len(trees.roots), most))
    values[np.searchsorted(trees.roots, np.flatnonzero(leaf), side="right") - 1, first[leaf]] = trees.value[leaf]
    nodes = _turned(trees, leaf)
    nowhere = np.zeros(len(leaf), dtype=np.bool_)
    sets = (trees.sets >= 0 if trees.sets.size else nowhere)[nodes]
    below_all = (trees.missing_left if trees.missing_left.size else nowhere)[nodes] & ~sets
    crossed = np.where(leaf[nodes], 0, below[trees.left[nodes]])
    return Crossings(
        trees=trees,
        nodes=nodes,
        column=2 * trees.feature[nodes].astype(np.intp) + below_all,
        threshold=trees.threshold[nodes][:, None],
        kept=_kept(first[nodes], crossed, most=most)[:, None],
        sets=np.flatnonzero(sets),
        values=values,
    )


def _turned(trees: Trees, leaf: NDArray[np.bool_]) -> Places:
    """Return the inner nodes of each tree in turn; a tree that has no more of them repeats its root."""
    inner = np.flatnonzero(~leaf)
    tree = np.searchsorted(trees.roots, inner, side="right") - 1
    turn = np.arange(len(inner)) - np.searchsorted(tree, tree)
    nodes = np.tile(trees.roots.astype(np.intp), (int(turn.max(initial=0)) + 1, 1))
    nodes[turn, tree] = inner
    return nodes.ravel()


def _leaves_of(trees: Trees) -> tuple[Places, Places]:
    """Return how many leaves lie below each node, itself one if it is a leaf, and the place of the first of them."""
    levels = [trees.roots]
    while (parents := _inner(trees, levels[-1])).size:
        levels.append(np.concatenate([trees.left[parents], trees.right[parents]]))
    below, first = np.ones(len(trees.left), dtype=np.intp), np.zeros(len(trees.left), dtype=np.intp)
    for level in reversed(levels):
        parents = _inner(trees, level)
        below[parents] = below[trees.left[parents]] + below[trees.right[parents]]
    for level in levels:
        parents = _inner(trees, level)
        first[trees.left[parents]] = first[parents]
        first[trees.right[parents]] = first[parents] + below[trees.left[parents]]
    return below, first


def _inner(trees: Trees, nodes: NDArray[np.int32]) -> NDArray[np.int32]:
    inner: NDArray[np.int32] = nodes[trees.left[nodes] != nodes]
    return inner


def _kept(first: Places, crossed: Places, *, most: int) -> Bits:
    """Return numbers whose bits are 1 but for `crossed` of them from the place `first`, in as few bits as will do."""
    one = np.uint64(1)
    ones = (one << crossed.astype(np.uint64)) - one
    kept: Bits = (~(ones << first.astype(np.uint64))).astype(f"uint{next(bits for bits in WIDTHS if bits >= most)}")
    return kept
