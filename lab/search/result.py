"""Types of a search: tasks, outcomes, progress and result."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lab.search.space import Point


@dataclass(frozen=True)
class Unfitted:
    """The reason why a point could not be fitted."""

    reason: str


Outcome = float | Unfitted  # a score on the metric's own scale
Task = tuple[Point, int]  # the settings of the space, and a fold's number from 1
Evaluate = Callable[[Sequence[Task]], Iterable[Outcome]]


@dataclass(frozen=True)
class Trial:
    """One point with its mean score over its folds, None when it could not be fitted.

    `best` is the best score on all folds up to this trial, None before the first.
    """

    number: int
    settings: Mapping[str, Any]
    score: float | None
    folds: int
    best: float | None


@dataclass(frozen=True)
class Progress:
    """The progress after a fit; `trial` is the one that this fit completed.

    `most` is the maximum number of fits.
    """

    fits: int
    most: int
    best: float | None
    trial: Trial | None


@dataclass(frozen=True)
class SearchResult:
    """The best point and how it was found; without `importance`, `importance_reason` says why."""

    best: Point
    method: str
    by: str
    budget: int
    fits: int
    reason: str
    trials: tuple[Trial, ...]
    importance: Mapping[str, float]
    importance_reason: str


def history_of(result: SearchResult) -> dict[str, Any]:
    """Return the content of search.json."""
    return {**asdict(result), "trials": [asdict(trial) for trial in result.trials]}
