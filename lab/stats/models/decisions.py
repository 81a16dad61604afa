"""Compare two models' yes-or-no decisions on the same rows, by resampling the table that holds all they say."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]
Parts = tuple[Counts, Counts]
Metric = Callable[[Counts], Parts]


@dataclass(frozen=True)
class ResampledDifference:
    """A metric of two models; the difference is second less first, the interval is of the resampled differences."""

    first: float
    second: float
    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float
    reason: str


def count_decisions(labels: ArrayLike, first: ArrayLike, second: ArrayLike) -> Counts:
    """Return the rows in each of the eight cells: [label, decision of the first, decision of the second]."""
    answers = [np.asarray(answer).astype(bool) for answer in (labels, first, second)]
    if len({answer.shape for answer in answers}) != 1 or answers[0].size == 0:
        raise ValueError(f"expected the same rows thrice, one or more, got {[answer.shape for answer in answers]}")
    places = 4 * answers[0] + 2 * answers[1] + answers[2]
    return np.bincount(places.astype(np.int64), minlength=8).reshape(2, 2, 2)


def compare_decisions(
    cells: Counts, *, resamples: int, rng: np.random.Generator, level: float = 0.95
) -> dict[str, ResampledDifference]:
    """Return the differences in accuracy, precision, recall and F1, with percentile intervals of the paired bootstrap.

    Rows in the same cell are alike, so a multinomial draw of the eight counts *is* a resample of the rows. A ratio
    without a denominator is 0. Efron and Tibshirani (1993), chapters 6, 13 and 16; the p-value doubles the share of
    resampled differences on the far side of 0, and counts the sample itself.
    """
    total = int(cells.sum())
    drawn = rng.multinomial(total, cells.ravel() / total, size=resamples).reshape(resamples, 2, 2, 2)
    return {name: _compare(metric, cells, drawn, level=level) for name, metric in METRICS.items()}


def _compare(metric: Metric, cells: Counts, drawn: Counts, *, level: float) -> ResampledDifference:
    seen = [_ratio(*metric(side)) for side in _sides(cells)]
    first, second = (_ratio(*metric(side)) for side in _sides(drawn))
    differences = second - first
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    undefined = any(float(metric(side)[1]) == 0 for side in _sides(cells))
    return ResampledDifference(
        first=float(seen[0]),
        second=float(seen[1]),
        difference=float(seen[1] - seen[0]),
        standard_error=float(differences.std(ddof=1)),
        low=float(low),
        high=float(high),
        p_value=_p_value(differences),
        reason="nothing to divide by, taken as 0" if undefined else "",
    )


def _sides(cells: Counts) -> tuple[Counts, Counts]:
    return cells.sum(axis=-1), cells.sum(axis=-2)


def _p_value(differences: Numbers) -> float:
    smaller = min(int(np.sum(differences <= 0)), int(np.sum(differences >= 0)))
    return min(1.0, 2 * (smaller + 1) / (len(differences) + 1))


def _ratio(part: Counts, whole: Counts) -> Numbers:
    share: Numbers = np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
    return share


def _accuracy(table: Counts) -> Parts:
    return table[..., 0, 0] + table[..., 1, 1], table.sum(axis=(-2, -1))


def _precision(table: Counts) -> Parts:
    return table[..., 1, 1], table[..., :, 1].sum(axis=-1)


def _recall(table: Counts) -> Parts:
    return table[..., 1, 1], table[..., 1, :].sum(axis=-1)


def _f1(table: Counts) -> Parts:
    hits, wrong = table[..., 1, 1], table[..., 0, 1] + table[..., 1, 0]
    return 2 * hits, 2 * hits + wrong


METRICS = {"accuracy": _accuracy, "precision": _precision, "recall": _recall, "f1": _f1}
