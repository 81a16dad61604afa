"""Shapley values of any model by sampled permutations, from reference rows to a row."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.compiled.parts import Columns, Numbers

Output = Callable[[Columns], Numbers]
Places = NDArray[np.intp]

MOST_STEPS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Paths:
    """The start row of each walk, and the order in which it changes the features."""

    starts: Columns
    orders: Places


def paths_from(reference: Columns, *, count: int, rng: np.random.Generator) -> Paths:
    """Return `count` paths, or as many as the reference has rows; every second order reverses the one before.

    Antithetic sampling: the reversed order cancels half of the noise.
    """
    count_of_rows = rows_in(reference)
    rows = np.sort(rng.choice(count_of_rows, size=min(count, count_of_rows), replace=False))
    drawn = [rng.permutation(len(reference)) for _ in range(0, len(rows), 2)]
    orders = [order for forth in drawn for order in (forth, forth[::-1])]
    return Paths(_taken(reference, rows), np.array(orders[: len(rows)], dtype=np.intp))


def walk(output: Output, paths: Paths, rows: Columns) -> Numbers:
    """Return the contribution of each feature (a column) in each row, averaged over all paths.

    It is an unbiased estimate of the Shapley value over the start rows (Štrumbelj and Kononenko, 2010, Journal of
    Machine Learning Research 11). Contributions add up exactly to the output minus the mean output of the start rows.
    All rows use the same paths, so that an explanation does not depend on other rows.
    """
    ends, count, width = output(rows), rows_in(rows), len(rows)
    block = max(1, MOST_STEPS_AT_ONCE // max(1, width))
    totals = np.zeros((count, width))
    for start, from_there, order in zip(range(len(paths.orders)), output(paths.starts), paths.orders, strict=True):
        origin = _taken(paths.starts, slice(start, start + 1))
        for first in range(0, count, block):
            part = slice(first, first + block)
            totals[part] += _one_path(output, origin, float(from_there), order, _taken(rows, part), ends[part])
    return totals / len(paths.orders)


def rows_in(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def _taken(columns: Columns, rows: Places | slice) -> Columns:
    return {name: values[rows] for name, values in columns.items()}


def _one_path(
    output: Output, origin: Columns, from_there: float, order: Places, rows: Columns, ends: Numbers
) -> Numbers:
    """Return the step of each feature on one path; the outputs at both ends are known."""
    count, width = rows_in(rows), len(rows)
    between = output(_between(origin, order, rows)).reshape(width - 1, count) if width > 1 else np.empty((0, count))
    heights = np.vstack([np.full(count, from_there), between, ends])
    steps = np.empty((count, width))
    steps[:, order] = np.diff(heights, axis=0).T
    return steps


def _between(origin: Columns, order: Places, rows: Columns) -> Columns:
    """Return all rows after the first change, then all after the second, up to the last but one."""
    turn = np.argsort(order, kind="stable")
    width = len(rows)
    changed = np.arange(1, width).repeat(rows_in(rows))
    return {
        name: np.where(changed > turn[place], np.tile(values, width - 1), origin[name][0])
        for place, (name, values) in enumerate(rows.items())
    }
