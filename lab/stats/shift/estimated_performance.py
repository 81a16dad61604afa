"""Confidence-based performance estimation (CBPE): classification metrics without labels.

The estimate is valid as long as the probabilities are calibrated. It cannot detect concept drift; no method without
labels can.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class EstimatedPerformance:
    """Expected metrics; None where the denominator is 0."""

    accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None


def estimate_performance(scores: ArrayLike, decided: ArrayLike, probabilities: ArrayLike) -> EstimatedPerformance:
    """Return the expected metrics of decisions and scores when each row is positive with its probability.

    The expected counts of the confusion matrix are sums of probabilities; the expected ROC curve follows the order of
    the scores, ties together. Białek, Kivimäki, Kuberski and Perrakis (2024), arXiv 2407.08649.

    >>> estimate_performance([0.25, 0.75], [False, True], [0.25, 0.75]).accuracy
    0.75
    """
    p, positive = np.asarray(probabilities, dtype=np.float64), np.asarray(decided).astype(bool)
    if p.size and not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"expected probabilities between 0 and 1, got {float(p.min())} to {float(p.max())}")
    hits, misses = float(p[positive].sum()), float(p[~positive].sum())
    false_alarms, passes = float((1 - p[positive]).sum()), float((1 - p[~positive]).sum())
    return EstimatedPerformance(
        accuracy=_share(hits + passes, len(p)),
        precision=_share(hits, hits + false_alarms),
        recall=_share(hits, hits + misses),
        f1=_share(2 * hits, 2 * hits + false_alarms + misses),
        roc_auc=estimate_area(scores, p),
    )


def estimate_area(scores: ArrayLike, probabilities: Numbers) -> float | None:
    """Return the expected ROC AUC; None when all rows are certain to be of one class."""
    numbers = np.asarray(scores, dtype=np.float64)
    order = np.argsort(-numbers, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(numbers[order])), len(order) - 1) if len(order) else np.array([], dtype=int)
    hits = np.concatenate([[0.0], np.cumsum(probabilities[order])[ends]])
    alarms = np.concatenate([[0.0], np.cumsum(1 - probabilities[order])[ends]])
    area = float(np.sum(np.diff(alarms) * (hits[1:] + hits[:-1]) / 2))
    return _share(area, float(hits[-1] * alarms[-1]))


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None
