"""A known score for every point and fold, and a record of all requests."""

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from lab.search.points import key_of
from lab.search.result import Outcome, Progress, SearchResult, Task
from lab.search.rule import SearchRule
from lab.search.search import search
from lab.search.space import Point, Range, Space

FOLDS = 4
SPACE: Space = {
    "inverse_penalty": Range(low=0.01, high=100.0, scale="log", points=5),
    "trees": Range(low=10, high=50, points=3),
    "shape": ["round", "square"],
}
DEFAULT: Point = {"inverse_penalty": 1.0, "trees": 30, "shape": "round", "most_steps": 7}


def height(point: Point, fold: int) -> float:
    """Return a score with its top at inverse_penalty 10, 40 trees, square; folds differ, as folds do."""
    away = (math.log10(float(str(point["inverse_penalty"]))) - 1) ** 2 / 10
    away += (float(str(point["trees"])) - 40) ** 2 / 10_000
    return 0.9 - away - (0.02 if point["shape"] == "round" else 0.0) - 0.01 * (FOLDS - fold)


class Recorder:
    """Return scores of the landscape in sequence, and record all requests."""

    def __init__(self, answer: Callable[[Point, int], Outcome] = height) -> None:
        self.answer = answer
        self.tasks: list[tuple[str, int]] = []

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        for point, fold in tasks:
            self.tasks.append((key_of(point), fold))
            yield self.answer(point, fold)


class Scrambled(Recorder):
    """Compute scores in several threads that end in reverse order."""

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        self.tasks += [(key_of(point), fold) for point, fold in tasks]
        ended = [threading.Event() for _ in range(len(tasks) + 1)]
        ended[-1].set()

        def answer(place: int, point: Point, fold: int) -> Outcome:
            ended[place + 1].wait()
            outcome = self.answer(point, fold)
            ended[place].set()
            return outcome

        with ThreadPoolExecutor(max(1, len(tasks))) as threads:
            waiting = [threads.submit(answer, place, *task) for place, task in enumerate(tasks)]
            yield from [future.result() for future in waiting]


def searched(
    method: str,
    *,
    budget: int = 60,
    space: Space = SPACE,
    default: Point = DEFAULT,
    folds: int = FOLDS,
    seed: int = 3,
    by: str = "roc_auc",
    evaluate: Recorder | None = None,
    reports: list[Progress] | None = None,
) -> SearchResult:
    """Search the landscape; `reports` collects the progress."""
    if evaluate is None and reports is None and space is SPACE and default is DEFAULT:
        return searched_plainly(method, budget, folds, seed, by)
    rule: Mapping[str, Any] = {"method": method, "budget": budget, "by": by}
    return search(
        space,
        SearchRule.model_validate(rule),
        default=default,
        folds=folds,
        seed=seed,
        where="here.search",
        evaluate=evaluate or Recorder(),
        report=(reports if reports is not None else []).append,
    )


@cache
def searched_plainly(method: str, budget: int, folds: int, seed: int, by: str) -> SearchResult:
    """Search the usual space once for all tests."""
    return searched(method, budget=budget, folds=folds, seed=seed, by=by, evaluate=Recorder())
