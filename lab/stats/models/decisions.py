"""Accuracy, precision, recall and F1 of two models: paired bootstrap, or t-tests by unit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.clusters import Codes, clustered_test

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Parts = tuple[Counts, Counts]
Metric = Callable[[Counts], Parts]


@dataclass(frozen=True)
class MetricDifference:
    """A metric of two models; the difference is second minus first.

    Where units repeat, the test is Student's; with too few units the fields from the standard error on are None.
    """

    first: float
    second: float
    difference: float
    standard_error: float | None
    low: float | None
    high: float | None
    p_value: float | None
    reason: str


def count_decisions(labels: ArrayLike, first: ArrayLike, second: ArrayLike) -> Counts:
    """Return the row counts of the eight cells [label, decision of the first model, decision of the second]."""
    columns = [np.asarray(column).astype(bool) for column in (labels, first, second)]
    if len({column.shape for column in columns}) != 1 or columns[0].size == 0:
        raise ValueError(f"expected three columns of equal length, not empty; got {[one.shape for one in columns]}")
    cells = 4 * columns[0] + 2 * columns[1] + columns[2]
    return np.bincount(cells.astype(np.int64), minlength=8).reshape(2, 2, 2)


def compare_decisions(
    cells: Counts, *, resamples: int, rng: np.random.Generator, level: float = 0.95
) -> dict[str, MetricDifference]:
    """Return the differences in accuracy, precision, recall and F1, with percentile intervals of the paired bootstrap.

    A multinomial draw of the eight counts is equivalent to resampling the rows. A ratio with denominator 0 is 0. Efron
    and Tibshirani (1993), chapters 6, 13 and 16; the p-value is twice the share of resampled differences on the other
    side of 0, the sample itself included.
    """
    total = int(cells.sum())
    drawn = rng.multinomial(total, cells.ravel() / total, size=resamples).reshape(resamples, 2, 2, 2)
    return {name: _compare(metric, cells, drawn, level=level) for name, metric in METRICS.items()}


def compare_decisions_by_unit(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, units: Codes, *, level: float = 0.95
) -> dict[str, MetricDifference]:
    """Return the differences in accuracy, precision, recall and F1, with t-tests of influences added up by unit.

    The influence of a row on a ratio is its numerator less the ratio times its denominator, over the sum of the
    denominators (the delta method). A ratio with denominator 0 is 0.
    """
    positive, *decided = (np.asarray(column).astype(bool) for column in (labels, first, second))
    tables = [_rows_as_tables(positive, decision) for decision in decided]
    return {name: _compare_by_unit(metric, tables, units, level=level) for name, metric in METRICS.items()}


def _rows_as_tables(positive: Flags, decided: Flags) -> Counts:
    """Return the table [label, decision] of each row: 1 in its own cell, else 0."""
    cells = 2 * positive.astype(np.int64) + decided
    return np.eye(4, dtype=np.int64)[cells].reshape(-1, 2, 2)


def _compare_by_unit(metric: Metric, tables: Sequence[Counts], units: Codes, *, level: float) -> MetricDifference:
    parts = [metric(table) for table in tables]
    sums = [(float(part.sum()), float(whole.sum())) for part, whole in parts]
    first, second = (part / whole if whole else 0.0 for part, whole in sums)
    one, two = (
        (part - value * whole) / total if total else np.zeros(len(part))
        for (part, whole), (_, total), value in zip(parts, sums, (first, second), strict=True)
    )
    found = clustered_test(second - first, two - one, units, level=level)
    undefined = any(total == 0 for _, total in sums)
    return MetricDifference(
        first=first,
        second=second,
        difference=second - first,
        standard_error=found.standard_error,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        reason="denominator 0, ratio set to 0" if undefined else found.reason,
    )


def _compare(metric: Metric, cells: Counts, drawn: Counts, *, level: float) -> MetricDifference:
    observed = [_ratio(*metric(table)) for table in _tables(cells)]
    first, second = (_ratio(*metric(table)) for table in _tables(drawn))
    differences = second - first
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    undefined = any(float(metric(table)[1]) == 0 for table in _tables(cells))
    return MetricDifference(
        first=float(observed[0]),
        second=float(observed[1]),
        difference=float(observed[1] - observed[0]),
        standard_error=float(differences.std(ddof=1)),
        low=float(low),
        high=float(high),
        p_value=_p_value(differences),
        reason="denominator 0, ratio set to 0" if undefined else "",
    )


def _tables(cells: Counts) -> tuple[Counts, Counts]:
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
