"""What a search asks for, what it tells while it runs, and what it found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lab.search.space import Point


@dataclass(frozen=True)
class Unfitted:
    """No score: the point could not be fitted, and why."""

    reason: str


Outcome = float | Unfitted  # a score of the rule's metric, the way it is read everywhere
Task = tuple[Point, int]  # the settings of the space, and a fold's number from 1
Evaluate = Callable[[Sequence[Task]], Iterable[Outcome]]


@dataclass(frozen=True)
class Trial:
    """One point, with its mean score over the folds it was fitted on: None where it could not be fitted on one.

    `best` is the best score that had been seen on all folds up to this trial; None before the first.
    """

    number: int
    settings: Mapping[str, Any]
    score: float | None
    folds: int
    best: float | None


@dataclass(frozen=True)
class Progress:
    """How far a search has come after a fit; `trial` is the one that this fit brought to an end, for now or for good.

    `most` is how many fits there will be at most.
    """

    fits: int
    most: int
    best: float | None
    trial: Trial | None


@dataclass(frozen=True)
class SearchResult:
    """The best point, and how it was found; `importance` is empty where `importance_reason` says why."""

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
    """Return what is kept of a search beside the model."""
    return {**asdict(result), "trials": [asdict(trial) for trial in result.trials]}
