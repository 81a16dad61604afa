"""`python -m benchmarks.search [ESTIMATOR …]`: a fifth of the grid's fits against the whole grid."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.schema import Feature, FoldRule, load_schema
from lab.core.seeds import generator_of
from lab.core.tables import read_table
from lab.model_files.specification import Specification
from lab.models.frames import frame_of
from lab.models.scoring import score_frame
from lab.search.points import key_of
from lab.search.result import Progress, SearchResult, Task
from lab.search.rule import SearchRule
from lab.search.search import search
from lab.search.space import CLASS_WEIGHTS, Point
from lab.stats.core.classification import measure, scored_sample
from lab.stats.core.resampled_folds import corrected_mean
from lab.train.estimator_spaces import space_of, with_point
from lab.train.estimators import with_defaults
from lab.train.fitting import Plan, fit_pipeline
from lab.train.folds import Fold, make_folds

ROWS = Path("data/features/train.parquet")
FOLDS, SEED, FEWER = 5, 2024, 5
FEW_ROWS = 3_000
# Churn's moments allow four folds forward in time, and five are asked for.
BY_CUSTOMER = FoldRule(kind="group", group="customer_id", reason="five folds")
# How many rows each is searched on: all, or a sample where one fit takes long.
ESTIMATORS: Mapping[str, int | None] = {
    "random_forest": None,
    "histogram_gradient_boosting": None,
    "support_vector_machine": FEW_ROWS,
    "logistic_regression": None,
    "multilayer_perceptron": FEW_ROWS,
}


@dataclass
class Fits:
    """Fit on folds, each point and fold once, and keep what a fit scored and cost."""

    specification: Specification
    features: Mapping[str, Feature]
    frame: pd.DataFrame
    labels: NDArray[np.int8]
    folds: Sequence[Fold]
    scores: dict[tuple[str, int], float] = field(default_factory=dict)
    seconds: dict[tuple[str, int], float] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, tasks: Sequence[Task]) -> Iterator[float]:
        for point, number in tasks:
            self.asked.append((key_of(point), number))
            if self.asked[-1] not in self.scores:
                started = time.process_time()
                self.scores[self.asked[-1]] = self.score(point, self.folds[number - 1])
                self.seconds[self.asked[-1]] = time.process_time() - started
            yield self.scores[self.asked[-1]]

    def score(self, point: Point, fold: Fold) -> float:
        plan = Plan(with_point(self.specification, point), self.features, SEED, "benchmark")
        pipeline = fit_pipeline(plan, self.frame.iloc[fold.train], self.labels[fold.train])
        scores = score_frame(pipeline, self.frame.iloc[fold.validation])
        return float(measure(scored_sample(self.labels[fold.validation], scores), threshold=0.5)["roc_auc"])

    def by_fold(self, point: Point) -> list[float]:
        return [self.scores[key_of(point), number] for number in range(1, len(self.folds) + 1)]


def main() -> None:
    for name in sys.argv[1:] or ESTIMATORS:
        for line in figures(name):
            sys.stdout.write(f"{json.dumps(line)}\n")
            sys.stdout.flush()


def figures(name: str, *, seed: int = SEED) -> Iterator[dict[str, object]]:
    """Yield what the grid found and cost, then what the methods found in a fifth of its fits."""
    fits = fits_of(name, rows=ESTIMATORS[name])
    grid = searched(fits, "grid", budget=sys.maxsize, seed=seed)
    spread = corrected_mean(
        fits.by_fold(grid.best),
        train_rows=[len(fold.train) for fold in fits.folds],
        validation_rows=[len(fold.validation) for fold in fits.folds],
    )
    low = spread.low if spread.low is not None else spread.mean
    default = grid.trials[0].score
    row = {"estimator": name, "rows": len(fits.frame), "default_auc": rounded(default)}
    yield {**row, **shown(fits, grid), "interval": [rounded(low), rounded(spread.high)], "best": grid.best}
    for method in ("bayesian", "halving", "random"):
        found = searched(fits, method, budget=grid.fits // FEWER, seed=seed)
        auc = float(np.mean(fits.by_fold(found.best)))
        yield {
            "estimator": name,
            **shown(fits, found),
            "reached": auc >= low,
            "behind": rounded(spread.mean - auc),
        }


def fits_of(name: str, *, rows: int | None) -> Fits:
    table, schema = read_table(ROWS), load_schema()
    if rows is not None:
        chosen = np.sort(generator_of(SEED, "benchmark").permutation(table.num_rows)[:rows])
        table = table.take(pa.array(chosen))
    specification = with_defaults(Specification(estimator=name), where="benchmark")
    labels = table["label"].to_numpy().astype(np.int8)
    folds = make_folds(table, schema.model_copy(update={"folds": BY_CUSTOMER}), count=FOLDS, seed=SEED)
    return Fits(specification, schema.features, frame_of(table, schema.features), labels, folds)


def searched(fits: Fits, method: str, *, budget: int, seed: int) -> SearchResult:
    fits.asked.clear()
    specification = fits.specification
    return search(
        space_of(specification, where="benchmark"),
        SearchRule.model_validate({"method": method, "budget": budget}),
        default={**specification.settings, CLASS_WEIGHTS: specification.class_weights},
        folds=len(fits.folds),
        seed=seed,
        where="benchmark",
        evaluate=fits,
        report=show,
    )


def show(progress: Progress) -> None:
    if progress.trial is not None:
        sys.stderr.write(f"{progress.fits} of {progress.most} fits\n")


def shown(fits: Fits, found: SearchResult) -> dict[str, object]:
    cost = sum(fits.seconds[asked] for asked in fits.asked)
    auc = rounded(float(np.mean(fits.by_fold(found.best))))
    return {"method": found.method, "auc": auc, "fits": found.fits, "cpu_seconds": round(cost, 1)}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


if __name__ == "__main__":
    main()
