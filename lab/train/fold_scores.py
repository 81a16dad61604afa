"""Fit variants of a plan on folds and score them on the validation rows."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.core.errors import LabError
from lab.core.seeds import generator_of
from lab.models.scoring import score_frame
from lab.search.result import Evaluate, Outcome, Task, Unfitted
from lab.search.space import Point
from lab.stats.core.classification import measure, scored_sample
from lab.train.estimator_spaces import with_point
from lab.train.fitting import Plan, fit_pipeline, fitting
from lab.train.folds import Fold
from lab.train.workers import Run

Labels = NDArray[np.int8]
Places = NDArray[np.intp]
Numbers = NDArray[np.float64]

RANKED = ("roc_auc", "average_precision", "brier", "log_loss")  # metrics without threshold
FEWEST_PER_CLASS = 2


@dataclass(frozen=True)
class Rows:
    """The training rows and their folds."""

    frame: pd.DataFrame
    labels: Labels
    folds: Sequence[Fold]


def evaluator(plan: Plan, rows: Rows, *, own: Point, by: str, run: Run) -> Evaluate:
    """Return the function that fits and scores variants on folds, and yields each score as soon as it is there.

    A variant that cannot be fitted has no score; but when the plan's own settings cannot be fitted, that is an error.
    """

    def evaluate(tasks: Sequence[Task]) -> Iterable[Outcome]:
        calls = [(variant(plan, point), rows, fold - 1, by) for point, fold in tasks]
        for (point, _), found in zip(tasks, run(_try, calls), strict=True):
            if isinstance(found, LabError) and _key(point) == _key(own):
                raise found
            yield Unfitted(str(found)) if isinstance(found, LabError) else found

    return evaluate


def variant(plan: Plan, point: Point) -> Plan:
    return replace(plan, specification=with_point(plan.specification, point))


def with_at_most(rows: Rows, most: int, *, seed: int) -> Rows:
    """Return the rows with folds of at most `most` training rows, and all validation rows."""
    folds = [
        Fold(part_of(rows, number, share=min(1.0, most / len(fold.train)), seed=seed), fold.validation)
        for number, fold in enumerate(rows.folds)
    ]
    return replace(rows, folds=folds)


def part_of(rows: Rows, fold: int, *, share: float, seed: int) -> Places:
    """Return the indices of a share of a fold's training rows, stratified; larger shares contain smaller ones."""
    train = rows.folds[fold].train
    if share >= 1:
        return train
    shuffled = train[generator_of(seed, f"parts/{fold}").permutation(len(train))]
    classes = (shuffled[rows.labels[shuffled] == label] for label in (0, 1))
    return np.sort(np.concatenate([kind[: max(FEWEST_PER_CLASS, round(share * len(kind)))] for kind in classes]))


def measured(labels: Labels, scores: Numbers, *, threshold: float | None = None) -> dict[str, float]:
    """Return every metric at a threshold, or the metrics that need none."""
    found = measure(scored_sample(labels, scores), threshold=threshold if threshold is not None else 0.5)
    # Rounded, so that the last bits of a sum never decide.
    return {name: round(float(value), 9) for name, value in found.items() if threshold is not None or name in RANKED}


def _try(plan: Plan, rows: Rows, number: int, by: str) -> float | LabError:
    """Return the score, or the error as a value, so that one variant does not stop a batch."""
    fold = rows.folds[number]
    try:
        with fitting():
            pipeline = fit_pipeline(plan, rows.frame.iloc[fold.train], rows.labels[fold.train])
    except LabError as error:
        return error
    return measured(rows.labels[fold.validation], score_frame(pipeline, rows.frame.iloc[fold.validation]))[by]


def _key(point: Point) -> str:
    return json.dumps(dict(point), sort_keys=True)
