"""Estimate how well scores perform where no label is known, from the chances that the scores themselves promise.

What is estimated holds for as long as rows with a score of 0.3 come true three times in ten. When the meaning of the
features has changed, that is when the concept has, the estimate does not move: no method without labels can see it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class EstimatedPerformance:
    """Expected metrics; one is None where what it divides by is expected to be nothing."""

    accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None


def estimate_performance(scores: ArrayLike, decided: ArrayLike, chances: ArrayLike) -> EstimatedPerformance:
    """Return the metrics that decisions and a ranking by scores would have if each row came true with its chance.

    Confidence-based performance estimation: the expected rows in the four cells of the confusion matrix are sums of
    chances, and the area under the curve is that of expected hits against expected false alarms, in the order of the
    scores, equal scores together. Białek, Kivimäki, Kuberski and Perrakis (2024), arXiv 2407.08649.

    >>> estimate_performance([0.25, 0.75], [False, True], [0.25, 0.75]).accuracy
    0.75
    """
    p, yes = np.asarray(chances, dtype=np.float64), np.asarray(decided).astype(bool)
    if p.size and not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"expected chances between 0 and 1, got {float(p.min())} to {float(p.max())}")
    hits, misses = float(p[yes].sum()), float(p[~yes].sum())
    false_alarms, passes = float((1 - p[yes]).sum()), float((1 - p[~yes]).sum())
    return EstimatedPerformance(
        accuracy=_share(hits + passes, len(p)),
        precision=_share(hits, hits + false_alarms),
        recall=_share(hits, hits + misses),
        f1=_share(2 * hits, 2 * hits + false_alarms + misses),
        roc_auc=estimate_area(scores, p),
    )


def estimate_area(scores: ArrayLike, chances: Numbers) -> float | None:
    """Return the expected area under the ROC curve; None where all rows are sure to be of one class."""
    numbers = np.asarray(scores, dtype=np.float64)
    order = np.argsort(-numbers, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(numbers[order])), len(order) - 1) if len(order) else np.array([], dtype=int)
    hits = np.concatenate([[0.0], np.cumsum(chances[order])[ends]])
    alarms = np.concatenate([[0.0], np.cumsum(1 - chances[order])[ends]])
    area = float(np.sum(np.diff(alarms) * (hits[1:] + hits[:-1]) / 2))
    return _share(area, float(hits[-1] * alarms[-1]))


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None
