"""Exact path-dependent Shapley values of trees, computed leaf by leaf.

The output of a tree is a sum over its leaves. For a set of known columns, the term of a leaf is its value times one
factor for each column on its path: for a known column 1 or 0, as the row meets the conditions of the path, else the
share of training rows that follow the path. The Shapley value of such a product is an integral over the probability t
that a column is known (Owen, 1972, Management Science 18), of a polynomial in t, which Gauss-Legendre quadrature with
few points computes exactly. The result equals path-dependent TreeSHAP (Lundberg, 2020, Nature Machine Intelligence 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.compiled.parts import Numbers
from lab.compiled.trees import Trees
from lab.core.errors import ModelError

Places = NDArray[np.intp]
MOST_CONDITIONS = 50_000_000  # of all paths from a root to a leaf; each takes about 50 bytes
MOST_COLUMNS_OF_A_PATH = 2_000  # the points of an integral take the square of this
FACTORS_AT_ONCE = 8192  # times the points of an integral: fits into the cache


@dataclass(frozen=True)
class Block:
    """Leaves whose integrals need the same points; `starts` and `counts` locate the factors of each leaf."""

    factors: slice
    starts: Places
    counts: Places
    values: Numbers
    points: Numbers
    weights: Numbers


@dataclass(frozen=True)
class Leaves:
    """All leaves of a model's trees, factor by factor; `base` is the output when no column is known.

    Each factor has one or more conditions: a node, and whether the path goes left there.
    """

    trees: Trees
    nodes: Places
    to_left: NDArray[np.bool_]
    questions: Places
    shares: Numbers
    columns: Places
    blocks: tuple[Block, ...]
    base: float

    def contributions(self, row: NDArray[np.floating], origins: Places, features: int) -> Numbers:
        """Return the contribution of each feature for one row; `origins` maps columns to features."""
        if not self.columns.size:
            return np.zeros(features)
        trees = self.trees
        left = trees.goes_left(row[trees.feature], np.arange(len(trees.feature)))
        met = np.logical_and.reduceat(left[self.nodes] == self.to_left, self.questions).astype(np.float64)
        added = np.concatenate([_added(block, self.shares[block.factors], met[block.factors]) for block in self.blocks])
        contributions = np.bincount(origins[self.columns], weights=(met - self.shares) * added, minlength=features)
        return np.asarray(contributions, dtype=np.float64)


def _added(block: Block, shares: Numbers, met: Numbers) -> Numbers:
    """Return the weight of each factor beside the others of its leaf, averaged over all orders."""
    points = block.points[:, None]
    factors = shares * (1 - points) + met * points
    products = np.multiply.reduceat(factors, block.starts, axis=1) * block.weights[:, None] * block.values
    weights: Numbers = (np.repeat(products, block.counts, axis=1) / factors).sum(axis=0)
    return weights


def leaves_of(trees: Trees, cover: Numbers) -> Leaves:
    """Return the leaves of trees; `cover` is the weight of the training rows at each node."""
    ends = np.flatnonzero(trees.left == np.arange(len(trees.left)))
    leaf, nodes, to_left, shares = _climbed(trees, cover, ends)
    width = int(trees.feature.max()) + 1
    rank, counts = _ranked(leaf * width + trees.feature[nodes], width, len(ends))
    if counts.max(initial=0) > MOST_COLUMNS_OF_A_PATH:
        raise ModelError("the trees use too many columns on one path to be explained.")
    pairs = rank[leaf] * width + trees.feature[nodes]
    order = np.argsort(pairs, kind="stable")
    first = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    whole = np.multiply.reduceat(shares[order], first) if len(first) else np.empty(0)
    values = trees.value[ends][np.argsort(rank)]
    blocks = tuple(_blocks(counts, values))
    alone = float(values[counts == 0].sum())
    base = alone + sum(float(np.multiply.reduceat(whole[one.factors], one.starts) @ one.values) for one in blocks)
    return Leaves(trees, nodes[order], to_left[order], first, whole, pairs[order][first] % width, blocks, base)


def _climbed(trees: Trees, cover: Numbers, ends: Places) -> tuple[Places, Places, NDArray[np.bool_], Numbers]:
    """Return every condition from each leaf up to its root: leaf, node, whether left, share of training rows."""
    parents = np.full(len(trees.left), -1, dtype=np.intp)
    inner = np.flatnonzero(trees.left != np.arange(len(trees.left)))
    parents[trees.left[inner]], parents[trees.right[inner]] = inner, inner
    leaf, at = np.arange(len(ends)), ends
    steps: list[tuple[Places, Places, NDArray[np.bool_], Numbers]] = []
    conditions = 0
    while at.size:
        climbing = parents[at] >= 0
        leaf, at = leaf[climbing], at[climbing]
        above, conditions = parents[at], conditions + len(leaf)
        if conditions > MOST_CONDITIONS:
            raise ModelError("the trees are too deep to be explained.")
        steps.append((leaf, above, trees.left[above] == at, cover[at] / cover[above]))
        at = above
    found = [np.concatenate(part) for part in zip(*steps, strict=True)]
    return found[0], found[1], found[2], found[3]


def _ranked(pairs: Places, width: int, leaves: int) -> tuple[Places, Places]:
    """Return the rank of each leaf by number of factors, and the numbers in that order.

    A pair is leaf times width plus column.
    """
    ordered = np.sort(pairs)
    counts = np.bincount(ordered[np.flatnonzero(np.diff(ordered, prepend=-1))] // width, minlength=leaves)
    order = np.argsort(counts, kind="stable")
    rank = np.empty(leaves, dtype=np.intp)
    rank[order] = np.arange(leaves)
    return rank, counts[order]


def _blocks(counts: Places, values: Numbers) -> Iterator[Block]:
    """Yield the leaves in blocks; the integral of a product of n factors without one needs n/2 points."""
    needed, starts = (counts + 1) // 2, np.concatenate([[0], np.cumsum(counts)])
    first = int(np.searchsorted(counts, 1))
    while first < len(counts):
        same = int(np.searchsorted(needed, needed[first], side="right"))
        last = max(first + 1, min(same, int(np.searchsorted(starts, starts[first] + FACTORS_AT_ONCE))))
        part = slice(first, last)
        points, weights = np.polynomial.legendre.leggauss(int(needed[first]))
        yield Block(
            factors=slice(int(starts[first]), int(starts[last])),
            starts=starts[part] - starts[first],
            counts=counts[part],
            values=values[part],
            points=(points + 1) / 2,
            weights=weights / 2,
        )
        first = last
