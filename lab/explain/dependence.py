"""Partial dependence: the mean score when a feature has one value in every row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.core.schema import Feature
from lab.stats.core.probabilities import normal_quantile

Numbers = NDArray[np.float64]
Score = Callable[[pd.DataFrame], Numbers]

WIDEST_SHARE = 0.995  # the grid leaves out the outermost values
MISSING = "missing"


@dataclass(frozen=True)
class GridPoint:
    """A value to set, and the data around it: the cell's edges and its number of rows.

    Levels and missing values have a name and no edges.
    """

    value: float | str | None
    name: str
    start: float | None
    end: float | None
    rows: int


@dataclass(frozen=True)
class Dependence:
    """The mean score at each point of a grid, with a 95 % interval of the shape.

    The interval describes the change along the grid; the level of each row is removed, since rows differ in it most.
    """

    feature: str
    grid: tuple[GridPoint, ...]
    means: Numbers
    reaches: Numbers


def grid_of(values: pd.Series, feature: Feature, *, most: int) -> tuple[GridPoint, ...]:
    """Return the grid of a feature: quantiles, booleans or the most frequent levels, and missing."""
    present = values.dropna()
    points = (
        _number_points(present.to_numpy(), most) if feature.kind == "number" else _level_points(present, feature, most)
    )
    gaps = int(values.isna().sum())
    return (*points, *([GridPoint(None, MISSING, None, None, gaps)] if gaps else []))


def dependence_of(score: Score, frame: pd.DataFrame, feature: str, grid: tuple[GridPoint, ...]) -> Dependence:
    """Return the partial dependence of a score on a feature over the rows of a frame."""
    curves = np.stack([score(_set(frame, feature, point.value)) for point in grid])
    shapes = curves - curves.mean(axis=0)
    spread = shapes.std(axis=1, ddof=1) if curves.shape[1] > 1 else np.zeros(len(grid))
    reaches = normal_quantile(0.975) * spread / np.sqrt(curves.shape[1])
    return Dependence(feature, grid, curves.mean(axis=1), reaches)


def _set(frame: pd.DataFrame, feature: str, value: float | str | None) -> pd.DataFrame:
    if frame[feature].dtype == object:
        return frame.assign(**{feature: pd.Series([value] * len(frame), index=frame.index, dtype=object)})
    return frame.assign(**{feature: np.nan if value is None else float(value)})


def _number_points(values: Numbers, most: int) -> list[GridPoint]:
    if not len(values):
        return []
    shares = np.linspace(1 - WIDEST_SHARE, WIDEST_SHARE, most)
    grid = np.unique(np.quantile(values, shares, method="nearest")) + 0.0
    edges = np.concatenate([[values.min()], (grid[1:] + grid[:-1]) / 2, [values.max()]])
    # A value on an edge belongs to the cell below it.
    counts = np.bincount(np.searchsorted(edges[1:-1], values, side="left"), minlength=len(grid))
    cells = zip(grid.tolist(), edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    return [GridPoint(value, f"{value:g}", start, end, rows) for value, start, end, rows in cells]


def _level_points(values: pd.Series, feature: Feature, most: int) -> list[GridPoint]:
    counts: Mapping[Any, int] = values.value_counts(sort=False).to_dict()
    ordered = sorted(counts, key=lambda level: (-counts[level], str(level)))[:most]
    if feature.kind == "boolean":
        return [GridPoint(level, "yes" if level else "no", None, None, counts[level]) for level in sorted(ordered)]
    return [GridPoint(level, str(level), None, None, counts[level]) for level in ordered]
