"""Evaluate many trees at once, with flat arrays of nodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.compiled.parts import Arrays, Numbers, Part

ROWS_AT_ONCE = 256  # rows in one block: fits into the cache
SETS = 8  # a set of categories has 256 bits, in 8 numbers of 32


@dataclass(frozen=True)
class Trees:
    """All trees of a model, their nodes one after another; a leaf is its own child, so extra steps have no effect.

    A value goes left when it is at most the threshold, or missing and `missing_left` is set, or, at a node with a set
    of categories, a member of the set; a category that is in no set counts as missing.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: Numbers
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Numbers
    missing_left: NDArray[np.bool_]
    sets: NDArray[np.int32]
    members: NDArray[np.uint32]
    known: NDArray[np.uint32]
    deepest: int

    def leaf_values(self, rows: NDArray[np.floating]) -> Numbers:
        """Return the value of each row's leaf in each tree, one line for each row."""
        parts = [self._walk(rows[start : start + ROWS_AT_ONCE]) for start in range(0, len(rows), ROWS_AT_ONCE)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _walk(self, rows: NDArray[np.floating]) -> Numbers:
        count, width = rows.shape
        flat = np.ascontiguousarray(rows).ravel()
        starts = np.repeat(np.arange(count, dtype=np.int64) * width, len(self.roots))
        nodes = np.tile(self.roots, count)
        walking = np.arange(nodes.size)
        for _ in range(self.deepest):
            at = nodes[walking]
            values = flat[starts[walking] + self.feature[at]]
            nodes[walking] = moved = np.where(self.goes_left(values, at), self.left[at], self.right[at])
            walking = walking[self.left[moved] != moved]
            if not walking.size:
                break
        found: Numbers = self.value[nodes].reshape(count, -1)
        return found

    def goes_left(self, values: NDArray[np.floating], nodes: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return whether each node sends its value to its left child."""
        left: NDArray[np.bool_] = values <= self.threshold[nodes]
        if self.missing_left.size:
            left |= np.isnan(values) & self.missing_left[nodes]
        if self.sets.size:
            asked = self.sets[nodes]
            places = np.flatnonzero(asked >= 0)
            left[places] = self._is_member(values[places], nodes[places], asked[places])
        return left

    def _is_member(
        self, values: NDArray[np.floating], nodes: NDArray[np.integer], asked: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        usable = np.isfinite(values) & (values >= 0) & (values < SETS * 32)
        codes = np.where(usable, values, 0).astype(np.int64)
        word, bit = codes // 32, (codes % 32).astype(np.uint32)
        inside = (self.members[asked, word] >> bit) & 1 == 1
        known = usable & ((self.known[self.feature[nodes], word] >> bit) & 1 == 1)
        members: NDArray[np.bool_] = np.where(usable & (inside | known), inside & usable, self.missing_left[nodes])
        return members


def trees_of(part: Part, arrays: Arrays) -> Trees:
    """Return the trees of a part of the program."""
    found = {name: arrays[part[name]] for name in Trees.__annotations__ if name != "deepest"}
    return Trees(**found, deepest=int(part["deepest"]))
