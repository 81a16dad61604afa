"""Fit a plan on each fold and on parts of it, for learning curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.models.scoring import score_frame
from lab.stats.core.resampled_folds import corrected_mean
from lab.train.fitting import Plan, fit_pipeline, fitting
from lab.train.fold_scores import Rows, measured, part_of
from lab.train.workers import Run

Numbers = NDArray[np.float64]
WHOLE = 1.0


@dataclass(frozen=True)
class Learned:
    """The scores of each fold's validation rows, and the points of the learning curve."""

    scores: list[Numbers]
    curve: list[dict[str, Any]]


@dataclass(frozen=True)
class _Fit:
    rows: int
    train_score: float
    score: float
    scores: Numbers


def fit_folds(plan: Plan, rows: Rows, shares: Sequence[float], *, by: str, seed: int, run: Run) -> Learned:
    """Return the scores of a plan on each fold, and for shares of the training rows the mean with its interval.

    Larger parts contain smaller ones, and parts are stratified. The interval is that of a mean over folds, corrected
    for their overlap. Scores are not yet calibrated.
    """
    jobs = [(share, fold) for share in sorted({*shares, WHOLE}) for fold in range(len(rows.folds))]
    calls = [(plan, rows, fold, share, by, seed) for share, fold in jobs]
    fits: dict[tuple[float, int], _Fit] = dict(zip(jobs, run(_fit, calls), strict=True))
    curve = [_point(share, rows, fits) for share in sorted({*shares, WHOLE})] if shares else []
    return Learned([fits[WHOLE, fold].scores for fold in range(len(rows.folds))], curve)


def _fit(plan: Plan, rows: Rows, fold: int, share: float, by: str, seed: int) -> _Fit:
    part, validation = part_of(rows, fold, share=share, seed=seed), rows.folds[fold].validation
    with fitting():
        pipeline = fit_pipeline(plan, rows.frame.iloc[part], rows.labels[part])
    seen, unseen = (score_frame(pipeline, rows.frame.iloc[places]) for places in (part, validation))
    return _Fit(len(part), measured(rows.labels[part], seen)[by], measured(rows.labels[validation], unseen)[by], unseen)


def _point(share: float, rows: Rows, fits: Mapping[tuple[float, int], _Fit]) -> dict[str, Any]:
    found = [fits[share, fold] for fold in range(len(rows.folds))]
    sizes = [fit.rows for fit in found]
    validation = [len(fold.validation) for fold in rows.folds]
    mean = corrected_mean([fit.score for fit in found], train_rows=sizes, validation_rows=validation)
    return {
        "share": share,
        "rows": float(np.mean(sizes)),
        "train_score": float(np.mean([fit.train_score for fit in found])),
        "score": mean.mean,
        "low": mean.low,
        "high": mean.high,
    }
