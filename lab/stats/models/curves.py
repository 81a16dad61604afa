"""The curves that show how a classifier ranks and how far its scores can be trusted, as points few enough to draw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.classification import BIN_EDGES, Tally, decisions_by_threshold
from lab.stats.core.proportions import wilson_interval

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

POINTS = 100
SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class Point:
    """A point of a curve, and the threshold that gives it; None where no score reaches so far."""

    x: float
    y: float
    threshold: float | None


@dataclass(frozen=True)
class CalibrationBin:
    """The rows of a bin of scores: their mean score, and the share that is positive with its 95 % interval."""

    score: float
    share: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class ScoreBin:
    """How many rows of each class have a score from `start` to below `end`; the last bin holds its end too."""

    start: float
    end: float
    positives: int
    negatives: int


def roc_curve(counted: Tally, *, points: int = POINTS) -> list[Point]:
    """Return false alarms against hits, each as a share of its class, from (0, 0) to (1, 1); both classes needed."""
    hits, alarms, thresholds = _from_the_top(counted)
    return _thinned(alarms / alarms[-1], hits / hits[-1], thresholds, points=points)


def precision_recall_curve(counted: Tally, *, points: int = POINTS) -> list[Point]:
    """Return recall against precision, from the highest score down; a positive row is needed.

    No threshold gives recall 0 a precision: the curve starts at the first score.
    """
    hits, alarms, thresholds = (values[1:] for values in _from_the_top(counted))
    recall = hits / hits[-1]
    kept = _evenly(recall, points)
    precision = hits / (hits + alarms)
    return [Point(float(recall[place]), float(precision[place]), float(thresholds[place])) for place in kept]


def gain_curve(counted: Tally, *, points: int = POINTS) -> list[Point]:
    """Return the share of rows acted on, best first, against the share of positives among them; y / x is the lift."""
    hits, alarms, thresholds = _from_the_top(counted)
    acted = hits + alarms
    return _thinned(acted / acted[-1], hits / hits[-1], thresholds, points=points)


def lift_curve(counted: Tally, *, points: int = POINTS) -> list[Point]:
    """Return the share of rows acted on, best first, against how many times as often they are positive as all rows.

    It starts at one row in a hundred, for the lift of fewer is mostly chance, and ends at (1, 1).
    """
    curve = gain_curve(counted, points=points)
    return [Point(point.x, point.y / point.x, point.threshold) for point in curve if point.x >= SMALLEST_SHARE]


def lift_at(counted: Tally, share: float) -> float:
    """Return how many times as often the best-scored share of the rows is positive as all rows are.

    Rows with equal scores count as if they came in any order.
    """
    hits, alarms, _ = _from_the_top(counted)
    acted = hits + alarms
    return float(np.interp(share, acted / acted[-1], hits / hits[-1])) / share


def calibration_curve(counted: Tally) -> list[CalibrationBin]:
    """Return the ten bins of the calibration error that hold a row."""
    positives, negatives = counted.scale.positives, counted.scale.negatives
    hits, misses = positives.add_up_bins(counted.positives), negatives.add_up_bins(counted.negatives)
    sums = positives.add_up_bins(counted.positives * positives.values)
    sums += negatives.add_up_bins(counted.negatives * negatives.values)
    return [
        CalibrationBin(score / total, hit / total, *wilson_interval((int(hit), int(total))), rows=int(total))
        for total, hit, score in zip((hits + misses).tolist(), hits.tolist(), sums.tolist(), strict=True)
        if total
    ]


def score_bins(counted: Tally, *, per_calibration_bin: int = 2) -> list[ScoreBin]:
    """Return equal bins of scores with their rows of each class; empty bins are there too."""
    count = per_calibration_bin * (len(BIN_EDGES) + 1)
    edges = np.arange(count + 1) / count
    positives, negatives = (
        np.bincount(np.searchsorted(edges[1:-1], side.values, side="right"), weights=counts, minlength=count).astype(
            int
        )
        for side, counts in (
            (counted.scale.positives, counted.positives),
            (counted.scale.negatives, counted.negatives),
        )
    )
    return [
        ScoreBin(float(start), float(end), int(positive), int(negative))
        for start, end, positive, negative in zip(edges[:-1], edges[1:], positives, negatives, strict=True)
    ]


def _from_the_top(counted: Tally) -> tuple[Numbers, Numbers, Numbers]:
    """Return hits and false alarms as the threshold falls from above every score to the lowest one."""
    decisions = decisions_by_threshold(counted)
    hits, alarms = (
        np.concatenate([[0.0], counts[::-1]]) for counts in (decisions.true_positives, decisions.false_positives)
    )
    return hits, alarms, np.concatenate([[np.inf], counted.scores[::-1]])


def _thinned(x: Numbers, y: Numbers, thresholds: Numbers, *, points: int) -> list[Point]:
    return [
        Point(float(x[place]), float(y[place]), float(thresholds[place]) if place else None)
        for place in _evenly(x + y, points)
    ]


def _evenly(way: Numbers, points: int) -> Places:
    """Return places about evenly spread along a way that never falls, the first and the last among them."""
    wanted = np.linspace(way[0], way[-1], points)
    places = np.searchsorted(way, wanted, side="left")
    return np.unique(np.concatenate([[0], places, [len(way) - 1]]))
