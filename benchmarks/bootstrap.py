"""`python -m benchmarks.bootstrap [ROWS]`: 2,000 resamples beside a loop of scikit-learn over resampled arrays.

CPU seconds, the smallest of several runs in turn. scikit-learn's loop runs over a part of the resamples and is scaled
up, for it takes half a minute. That both say the same of the same resamples is tested in
tests/lab/stats/models/test_bootstrap.py.
"""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import json
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as oracle

from benchmarks.coverage import WORLDS, draw
from lab.stats.core.classification import ScoredSample, area_under_curve, calibration_error, measure, scored_sample
from lab.stats.core.log_odds import SMALLEST_PROBABILITY
from lab.stats.models.bootstrap import resample

Numbers = NDArray[np.float64]
Labels = NDArray[np.bool_]

ROWS, RESAMPLES, LOOPED, RUNS = 10_000, 2000, 100, 5
THRESHOLD = 0.5


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    window = draw(WORLDS[0], rows, rng=np.random.default_rng(1))
    labels, scores = window.labels, window.scores["champion"]
    rng = np.random.default_rng(2)
    drawn = [rng.integers(0, rows, rows) for _ in range(LOOPED)]
    figures = {
        "ROC AUC": ratio(partial(resampled, labels, scores, area), partial(looped, labels, scores, drawn, roc_auc)),
        "ten metrics": ratio(
            partial(resampled, labels, scores, partial(measure, threshold=THRESHOLD)),
            partial(looped, labels, scores, drawn, ten_metrics),
        ),
    }
    sys.stdout.write(f"{json.dumps({'rows': rows, 'resamples': RESAMPLES, **figures}, indent=2)}\n")


def ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> dict[str, float]:
    """Return what both take for all resamples, in CPU seconds, run in turn."""
    pairs = [(cpu_seconds(ours), cpu_seconds(theirs) * RESAMPLES / LOOPED) for _ in range(RUNS)]
    mine, other = (min(side) for side in zip(*pairs, strict=True))
    return {"seconds": round(mine, 3), "scikit-learn": round(other, 2), "times faster": round(other / mine, 1)}


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def resampled(labels: Labels, scores: Numbers, of: Callable[[ScoredSample], dict[str, Numbers]]) -> object:
    return resample(labels, [scores], [of], resamples=RESAMPLES, rng=np.random.default_rng(2))


def looped(
    labels: Labels, scores: Numbers, drawn: list[NDArray[np.intp]], of: Callable[[Labels, Numbers], object]
) -> object:
    return [of(labels[rows], scores[rows]) for rows in drawn]


def area(counted: ScoredSample) -> dict[str, Numbers]:
    return {"roc_auc": area_under_curve(counted)}


def roc_auc(labels: Labels, scores: Numbers) -> float:
    return float(oracle.roc_auc_score(labels, scores))


def ten_metrics(labels: Labels, scores: Numbers) -> list[float]:
    """Return what scikit-learn offers, and the calibration error, which it lacks, by our own."""
    decided = scores >= THRESHOLD
    clipped = np.clip(scores, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return [
        *(of(labels, decided) for of in (oracle.accuracy_score, oracle.balanced_accuracy_score, oracle.f1_score)),
        *(of(labels, decided) for of in (oracle.precision_score, oracle.recall_score)),
        *(of(labels, scores) for of in (oracle.roc_auc_score, oracle.average_precision_score, oracle.brier_score_loss)),
        oracle.log_loss(labels, clipped),
        float(calibration_error(scored_sample(labels, scores))),
    ]


if __name__ == "__main__":
    main()
