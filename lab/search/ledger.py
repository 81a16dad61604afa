"""Records of a search: every point and every fit once, within the budget."""

from collections.abc import Callable, Sequence

from lab.search.points import key_of
from lab.search.result import Evaluate, Outcome, Progress, Task, Trial, Unfitted
from lab.search.space import Point

DECIMALS = 12  # of a mean: smaller differences are rounding errors


class Ledger:
    """The points in the order of their first request, and their scores by fold.

    Points have numbers from 1. Internally higher is better; trials contain scores on their own scale.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        *,
        folds: Sequence[int],
        most: int,
        lower_is_better: bool,
        report: Callable[[Progress], None],
    ) -> None:
        self.folds = folds
        self.most = most
        self.fits = 0
        self.points: list[Point] = []
        self._numbers: dict[str, int] = {}
        self._outcomes: dict[tuple[int, int], Outcome] = {}
        self._evaluate = evaluate
        self._sign = -1.0 if lower_is_better else 1.0
        self._best: float | None = None
        self._report = report

    @property
    def remaining(self) -> int:
        return self.most - self.fits

    @property
    def numbers(self) -> range:
        return range(1, len(self.points) + 1)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._numbers)

    def add(self, points: Sequence[Point]) -> list[int]:
        """Return the numbers of points in their order; known points keep their number, duplicates appear once."""
        for point in points:
            if (key := key_of(point)) not in self._numbers:
                self.points.append(point)
                self._numbers[key] = len(self.points)
        return list(dict.fromkeys(self._numbers[key_of(point)] for point in points))

    def fit(self, numbers: Sequence[int], folds: Sequence[int]) -> None:
        """Fit points on folds, except for known fits."""
        requested = [(number, fold) for number in numbers for fold in folds if (number, fold) not in self._outcomes]
        if len(requested) > self.remaining:
            raise RuntimeError(f"{len(requested)} fits are requested, {self.remaining} remain")
        tasks: list[Task] = [(self.points[number - 1], fold) for number, fold in requested]
        for place, ((number, fold), outcome) in enumerate(zip(requested, self._evaluate(tasks), strict=True), start=1):
            self._outcomes[number, fold] = outcome
            self.fits += 1
            ended = place == len(requested) or requested[place][0] != number
            self._report(Progress(self.fits, self.most, *self._progress(number if ended else None)))

    def gain(self, number: int, folds: Sequence[int]) -> float | None:
        """Return a point's mean score on folds, higher is better; None when a fold has no score."""
        found = [self._outcomes.get((number, fold)) for fold in folds]
        scores = [outcome for outcome in found if isinstance(outcome, float)]
        if not scores or len(scores) < len(folds):
            return None
        return round(self._sign * sum(scores) / len(scores), DECIMALS)

    def folds_of(self, number: int) -> list[int]:
        """Return the folds on which fitting a point was attempted."""
        return [fold for fold in self.folds if (number, fold) in self._outcomes]

    def better(self, one: int, other: int, folds: Sequence[int]) -> bool:
        """Return whether one point has a higher mean on these folds than the other."""
        gain, others = self.gain(one, folds), self.gain(other, folds)
        return gain is not None and (others is None or gain > others)

    def ranked(self, numbers: Sequence[int], folds: Sequence[int]) -> list[int]:
        """Return the points with scores on all these folds, the best first, ties by number."""
        gains = {number: gain for number in sorted(numbers) if (gain := self.gain(number, folds)) is not None}
        return sorted(gains, key=lambda number: -gains[number])

    def winner(self) -> int | None:
        """Return the best point with scores on all folds."""
        return next(iter(self.ranked(self.numbers, self.folds)), None)

    def trials(self) -> tuple[Trial, ...]:
        """Return all trials in the order of their numbers."""
        best, trials = None, []
        for number in self.numbers:
            best = self._better(best, self.gain(number, self.folds))
            trials.append(self._trial(number, best))
        return tuple(trials)

    def failures(self) -> list[tuple[int, str]]:
        """Return the points that could not be fitted, each with its first reason."""
        reasons: dict[int, str] = {}
        for (number, _), outcome in self._outcomes.items():
            if isinstance(outcome, Unfitted):
                reasons.setdefault(number, outcome.reason)
        return sorted(reasons.items())

    def _progress(self, ended: int | None) -> tuple[float | None, Trial | None]:
        """Return the best score so far and the trial that has just ended."""
        if ended is not None:
            self._best = self._better(self._best, self.gain(ended, self.folds))
        trial = self._trial(ended, self._best) if ended is not None else None
        return self._as_read(self._best), trial

    def _trial(self, number: int, best: float | None) -> Trial:
        tried = self.folds_of(number)
        fitted = [fold for fold in tried if isinstance(self._outcomes[number, fold], float)]
        score = self.gain(number, tried)
        return Trial(number, self.points[number - 1], self._as_read(score), len(fitted), self._as_read(best))

    def _better(self, best: float | None, gain: float | None) -> float | None:
        return gain if best is None else best if gain is None else max(best, gain)

    def _as_read(self, gain: float | None) -> float | None:
        return None if gain is None else self._sign * gain
