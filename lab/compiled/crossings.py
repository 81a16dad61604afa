"""QuickScorer: find the leaves of small trees by bit masks instead of a walk.

A node that sends a row to the right masks out all leaves on its left; the first leaf of a tree that remains is the
row's leaf (Lucchese et al., 2015, SIGIR). The leaves of a tree are the bits of one number, so trees must be small.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.compiled.parts import Numbers
from lab.compiled.trees import Trees

WIDTHS = (8, 16, 32, 64)
MOST_PADDING = 16  # every tree gets as many places as the largest one
BLOCK_SIZE = 131_072  # rows times nodes in one block: fits into the cache
Bits = NDArray[np.unsignedinteger]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class QuickScorer:
    """The inner nodes of all trees: the first of each tree, then the second of each, so that rows are contiguous.

    A tree with fewer nodes repeats its root, which has no further effect. `column` is the input of a node, `kept` has
    the leaves that remain after a right turn; each line of `values` has the leaves of one tree.
    """

    trees: Trees
    nodes: Places
    column: Places
    threshold: Numbers
    kept: Bits
    sets: Places
    values: Numbers

    def leaf_values(self, rows: NDArray[np.floating]) -> Numbers:
        """Return the value of each row's leaf in each tree, one line for each row."""
        step = max(1, BLOCK_SIZE // len(self.nodes))
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
        """Return one line for each node: whether it sends each row to the left.

        Each column is there twice: with NaN, which reaches no threshold, and with missing values below all thresholds.
        """
        both = np.stack([columns, np.where(np.isnan(columns), -np.inf, columns)], axis=1)
        values = both.reshape(-1, columns.shape[1])[self.column]
        left: NDArray[np.bool_] = values <= self.threshold
        if self.sets.size:
            nodes = np.repeat(self.nodes[self.sets], columns.shape[1])
            left[self.sets] = self.trees.goes_left(values[self.sets].ravel(), nodes).reshape(len(self.sets), -1)
        return left


def quick_scorer_of(trees: Trees) -> QuickScorer | None:
    """Return the scorer of trees; None where a tree has more leaves than a number has bits, or few trees have most."""
    leaf = trees.left == np.arange(len(trees.left))
    most = int(np.add.reduceat(leaf.astype(np.intp), trees.roots).max())
    if most > WIDTHS[-1] or most * len(trees.roots) > MOST_PADDING * len(leaf):
        return None
    below, first = _leaves_of(trees)
    values = np.zeros((len(trees.roots), most))
    values[np.searchsorted(trees.roots, np.flatnonzero(leaf), side="right") - 1, first[leaf]] = trees.value[leaf]
    nodes = _in_rounds(trees, leaf)
    nowhere = np.zeros(len(leaf), dtype=np.bool_)
    sets = (trees.sets >= 0 if trees.sets.size else nowhere)[nodes]
    below_all = (trees.missing_left if trees.missing_left.size else nowhere)[nodes] & ~sets
    crossed = np.where(leaf[nodes], 0, below[trees.left[nodes]])
    return QuickScorer(
        trees=trees,
        nodes=nodes,
        column=2 * trees.feature[nodes].astype(np.intp) + below_all,
        threshold=trees.threshold[nodes][:, None],
        kept=_kept(first[nodes], crossed, most=most)[:, None],
        sets=np.flatnonzero(sets),
        values=values,
    )


def _in_rounds(trees: Trees, leaf: NDArray[np.bool_]) -> Places:
    """Return the inner nodes of all trees in rounds; a tree without further nodes repeats its root."""
    inner = np.flatnonzero(~leaf)
    tree = np.searchsorted(trees.roots, inner, side="right") - 1
    turn = np.arange(len(inner)) - np.searchsorted(tree, tree)
    nodes = np.tile(trees.roots.astype(np.intp), (int(turn.max(initial=0)) + 1, 1))
    nodes[turn, tree] = inner
    return nodes.ravel()


def _leaves_of(trees: Trees) -> tuple[Places, Places]:
    """Return the number of leaves below each node, and the index of the first of them."""
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
    """Return numbers with all bits 1 except `crossed` bits from position `first`, in the smallest type."""
    one = np.uint64(1)
    ones = (one << crossed.astype(np.uint64)) - one
    kept: Bits = (~(ones << first.astype(np.uint64))).astype(f"uint{next(bits for bits in WIDTHS if bits >= most)}")
    return kept
