"""ROC, precision-recall, gain, lift and calibration curves, thinned to about 100 points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.classification import BIN_EDGES, ScoredSample, decisions_by_threshold
from lab.stats.core.proportions import wilson_interval

Numbers = NDArray[np.float64]
Indices = NDArray[np.intp]

POINTS = 100
SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class Point:
    """A point of a curve and its threshold, None for the point above every score."""

    x: float
    y: float
    threshold: float | None


@dataclass(frozen=True)
class CalibrationBin:
    """The rows of a bin of scores: their mean score, and the share of positives with its 95 % interval."""

    score: float
    share: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class ScoreBin:
    """The number of rows of each class with scores in [start, end); the last bin includes its end."""

    start: float
    end: float
    positives: int
    negatives: int


def roc_curve(sample: ScoredSample, *, points: int = POINTS) -> list[Point]:
    """Return the false positive rate (x) and the true positive rate (y), from (0, 0) to (1, 1); needs both classes."""
    hits, alarms, thresholds = _from_the_top(sample)
    return _thinned(alarms / alarms[-1], hits / hits[-1], thresholds, points=points)


def precision_recall_curve(sample: ScoredSample, *, points: int = POINTS) -> list[Point]:
    """Return recall (x) and precision (y), from the highest score down; needs a positive row.

    Precision is undefined at recall 0, so the curve starts at the highest score.
    """
    hits, alarms, thresholds = (values[1:] for values in _from_the_top(sample))
    recall = hits / hits[-1]
    precision = hits / (hits + alarms)
    kept = _evenly_spaced(recall, points)
    return [Point(float(recall[index]), float(precision[index]), float(thresholds[index])) for index in kept]


def gain_curve(sample: ScoredSample, *, points: int = POINTS) -> list[Point]:
    """Return the share of rows, highest scores first (x), and the share of all positives among them (y)."""
    hits, alarms, thresholds = _from_the_top(sample)
    selected = hits + alarms
    return _thinned(selected / selected[-1], hits / hits[-1], thresholds, points=points)


def lift_curve(sample: ScoredSample, *, points: int = POINTS) -> list[Point]:
    """Return the share of rows, highest scores first (x), and their lift (y).

    The curve starts at 1 % of the rows, because the lift of fewer is mostly chance, and ends at (1, 1).
    """
    curve = gain_curve(sample, points=points)
    return [Point(point.x, point.y / point.x, point.threshold) for point in curve if point.x >= SMALLEST_SHARE]


def lift_at(sample: ScoredSample, share: float) -> float:
    """Return the lift: the positive rate of the given share of highest scores over that of all rows.

    Rows with equal scores count as if in random order.
    """
    hits, alarms, _ = _from_the_top(sample)
    selected = hits + alarms
    return float(np.interp(share, selected / selected[-1], hits / hits[-1])) / share


def calibration_curve(sample: ScoredSample) -> list[CalibrationBin]:
    """Return the non-empty ones of the ten bins of the calibration error."""
    positives, negatives = sample.sorted_scores.positives, sample.sorted_scores.negatives
    hits, misses = positives.sum_by_bin(sample.positives), negatives.sum_by_bin(sample.negatives)
    sums = positives.sum_by_bin(sample.positives * positives.values)
    sums += negatives.sum_by_bin(sample.negatives * negatives.values)
    return [
        CalibrationBin(score / total, hit / total, *wilson_interval((int(hit), int(total))), rows=int(total))
        for total, hit, score in zip((hits + misses).tolist(), hits.tolist(), sums.tolist(), strict=True)
        if total
    ]


def score_bins(sample: ScoredSample, *, per_calibration_bin: int = 2) -> list[ScoreBin]:
    """Return bins of equal width with their rows of each class, empty bins included."""
    count = per_calibration_bin * (len(BIN_EDGES) + 1)
    edges = np.arange(count + 1) / count
    positives, negatives = (
        np.bincount(np.searchsorted(edges[1:-1], side.values, side="right"), weights=counts, minlength=count).astype(
            int
        )
        for side, counts in (
            (sample.sorted_scores.positives, sample.positives),
            (sample.sorted_scores.negatives, sample.negatives),
        )
    )
    return [
        ScoreBin(float(start), float(end), int(positive), int(negative))
        for start, end, positive, negative in zip(edges[:-1], edges[1:], positives, negatives, strict=True)
    ]


def _from_the_top(sample: ScoredSample) -> tuple[Numbers, Numbers, Numbers]:
    """Return true and false positives as the threshold falls from above the highest score to the lowest one."""
    decisions = decisions_by_threshold(sample)
    hits, alarms = (
        np.concatenate([[0.0], counts[::-1]]) for counts in (decisions.true_positives, decisions.false_positives)
    )
    return hits, alarms, np.concatenate([[np.inf], sample.scores[::-1]])


def _thinned(x: Numbers, y: Numbers, thresholds: Numbers, *, points: int) -> list[Point]:
    return [
        Point(float(x[index]), float(y[index]), float(thresholds[index]) if index else None)
        for index in _evenly_spaced(x + y, points)
    ]


def _evenly_spaced(values: Numbers, points: int) -> Indices:
    """Return the indices of about evenly spaced values of an ascending array, including both ends."""
    wanted = np.linspace(values[0], values[-1], points)
    return np.unique(np.concatenate([[0], np.searchsorted(values, wanted, side="left"), [len(values) - 1]]))
