"""Explain any model by walking from reference rows to a row, one feature at a time, and asking it at every step."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Output = Callable[[pd.DataFrame], Numbers]

MOST_STEPS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Paths:
    """Where each walk starts (a row of the reference) and in which order (a line of places) it changes the features."""

    starts: pd.DataFrame
    orders: NDArray[np.intp]


def paths_from(reference: pd.DataFrame, *, count: int, rng: np.random.Generator) -> Paths:
    """Return so many paths, or as many as the reference has rows; every second order is the one before, backwards.

    What an order takes from a feature by asking early, its reverse gives back: half the noise goes.
    """
    rows = np.sort(rng.choice(len(reference), size=min(count, len(reference)), replace=False))
    drawn = [rng.permutation(reference.shape[1]) for _ in range(0, len(rows), 2)]
    orders = [order for forth in drawn for order in (forth, forth[::-1])]
    return Paths(reference.iloc[rows].reset_index(drop=True), np.array(orders[: len(rows)], dtype=np.intp))


def walk(output: Output, paths: Paths, frame: pd.DataFrame) -> Numbers:
    """Return what each feature (a column) adds to the output in each row, on average over all paths.

    An unbiased estimate of the Shapley value over the starting rows (Štrumbelj and Kononenko, 2010, Journal of Machine
    Learning Research 11). On every path the steps add up to the output less the start's: so do their means. All rows
    take the same paths, so that a row is explained alike in whatever company.
    """
    ends = output(frame)
    block = max(1, MOST_STEPS_AT_ONCE // max(1, frame.shape[1]))
    totals = np.zeros(frame.shape)
    for start, from_there, order in zip(range(len(paths.orders)), output(paths.starts), paths.orders, strict=True):
        origin = paths.starts.iloc[[start]]
        for first in range(0, len(frame), block):
            part = slice(first, first + block)
            totals[part] += _one_path(output, origin, float(from_there), order, frame.iloc[part], ends[part])
    return totals / len(paths.orders)


def _one_path(
    output: Output, origin: pd.DataFrame, from_there: float, order: NDArray[np.intp], rows: pd.DataFrame, ends: Numbers
) -> Numbers:
    """Return each feature's step on one path; the outputs at both ends are known."""
    count, width = rows.shape
    between = output(_between(origin, order, rows)).reshape(width - 1, count) if width > 1 else np.empty((0, count))
    heights = np.vstack([np.full(count, from_there), between, ends])
    steps = np.empty((count, width))
    steps[:, order] = np.diff(heights, axis=0).T
    return steps


def _between(origin: pd.DataFrame, order: NDArray[np.intp], rows: pd.DataFrame) -> pd.DataFrame:
    """Return all rows after the first change, then all after the second, up to the last but one."""
    turn = np.argsort(order, kind="stable")
    count, width = rows.shape
    changed = np.arange(1, width).repeat(count)
    there = {name: np.tile(rows[name].to_numpy(), width - 1) for name in rows.columns}
    columns = {
        # The type is named: pandas would take text with gaps for another type, and None for NaN, which is a new level.
        name: pd.Series(np.where(changed > turn[place], values, origin[name].iloc[0]), dtype=rows[name].dtype)
        for place, (name, values) in enumerate(there.items())
    }
    return pd.DataFrame(columns)
