"""`python -m benchmarks.search_trees [SEEDS]`: searches of a forest with fewer trees."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.search import BY_CUSTOMER, ROWS
from lab.core.schema import load_schema
from lab.core.seeds import integer_of
from lab.core.tables import read_table
from lab.model_files.specification import Setting, Specification
from lab.models.frames import frame_of
from lab.search.points import key_of
from lab.search.result import Task
from lab.search.rule import SearchRule
from lab.search.search import search
from lab.search.space import Point
from lab.stats.core.classification import measure, scored_sample
from lab.train.estimator_spaces import space_of
from lab.train.estimators import with_defaults
from lab.train.fitting import Plan, fit_pipeline
from lab.train.fold_scores import Rows, variant
from lab.train.folds import make_folds

TREES = (25, 50, 100)
BUDGET = 12
OWN: dict[str, Setting] = {"trees": TREES[-1], "smallest_leaf": 5}


@dataclass
class Forests:
    """Each point and fold fitted once, and scored with its first trees: these are what a smaller forest has."""

    plan: Plan
    rows: Rows
    test: tuple[Any, Any]
    seconds: float = 0.0
    scores: dict[tuple[str, int], dict[int, float]] = field(default_factory=dict)

    def score(self, point: Point, fold: int) -> dict[int, float]:
        key = key_of(point), fold
        if key not in self.scores:
            whole = fold == 0
            train = np.arange(len(self.rows.labels)) if whole else self.rows.folds[fold - 1].train
            started = time.process_time()
            pipeline = fit_pipeline(variant(self.plan, point), self.rows.frame.iloc[train], self.rows.labels[train])
            self.seconds += time.process_time() - started
            places = None if whole else self.rows.folds[fold - 1].validation
            frame, labels = self.test if places is None else (self.rows.frame.iloc[places], self.rows.labels[places])
            columns = pipeline[:-1].transform(frame)
            votes = np.cumsum([tree.predict_proba(columns)[:, 1] for tree in pipeline[-1].estimators_], axis=0)
            self.scores[key] = {
                count: float(measure(scored_sample(labels, votes[count - 1] / count), threshold=0.5)["roc_auc"])
                for count in TREES
            }
        return self.scores[key]


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for kind in ("time", "customer"):
        for seed in range(1, seeds + 1):
            for line in figures(kind, seed):
                sys.stdout.write(f"{json.dumps({'folds': kind, 'seed': seed, **line})}\n")
                sys.stdout.flush()


def figures(kind: str, seed: int) -> Iterator[dict[str, object]]:
    """Yield, for each number of trees in the search, what the chosen settings reach with all trees."""
    forests = forests_of(kind, seed)
    folds = range(1, len(forests.rows.folds) + 1)
    own = {
        name: forests.plan.specification.settings[name]
        for name in sorted(space_of(forests.plan.specification, where=""))
    }
    for count in TREES:
        best = searched(forests, own, count, seed=seed)
        yield {
            "trees": count,
            "settings": dict(best),
            "folds_auc": round(float(np.mean([forests.score(best, fold)[TREES[-1]] for fold in folds])), 5),
            "test_auc": round(forests.score(best, 0)[TREES[-1]], 5),
        }
    yield {"own": True, "test_auc": round(forests.score(own, 0)[TREES[-1]], 5)}


def forests_of(kind: str, seed: int) -> Forests:
    table, schema = read_table(ROWS), load_schema()
    if kind == "customer":
        schema = schema.model_copy(update={"folds": BY_CUSTOMER})
    count = 4 if kind == "time" else 5
    specification = with_defaults(Specification(estimator="random_forest", settings=OWN), where="benchmark")
    plan = Plan(specification, schema.features, integer_of(seed, "train"), "benchmark")
    labels = table["label"].to_numpy().astype(np.int8)
    folds = make_folds(table, schema, count=count, seed=seed)
    test = read_table(ROWS.with_name("test.parquet"))
    return Forests(
        plan,
        Rows(frame_of(table, schema.features), labels, folds),
        (frame_of(test, schema.features), test["label"].to_numpy().astype(np.int8)),
    )


def searched(forests: Forests, own: Point, count: int, *, seed: int) -> Point:
    def evaluate(tasks: Sequence[Task]) -> Iterator[float]:
        for point, fold in tasks:
            yield forests.score(point, fold)[count]

    return search(
        space_of(forests.plan.specification, where="benchmark"),
        SearchRule(method="bayesian", budget=BUDGET),
        default=own,
        folds=len(forests.rows.folds),
        seed=integer_of(seed, "search"),
        where="benchmark",
        evaluate=evaluate,
        report=lambda _: None,
    ).best


if __name__ == "__main__":
    main()
