"""Successive halving: many points on one fold, fewer points on more folds."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from lab.core.seeds import generator_of
from lab.search.ledger import Ledger
from lab.search.points import draw, size_of
from lab.search.space import Space
from lab.search.words import counted

KEPT = 3  # one of three points continues in the next round
MORE = 2  # on twice as many folds


@dataclass(frozen=True)
class Round:
    """A number of points, each fitted on a number of folds, including those of earlier rounds."""

    points: int
    folds: int


def search_by_halving(ledger: Ledger, space: Space, *, seed: int) -> str:
    """Fit random points in rounds, and return a summary as text."""
    size = size_of(space)
    known = len(ledger.points)
    rounds = plan_rounds(
        known + (size if size is not None else sys.maxsize), folds=len(ledger.folds), budget=ledger.most
    )
    points = draw(space, rounds[0].points - known, rng=generator_of(seed, "search"), without=ledger.keys)
    numbers = ledger.add([*ledger.points, *points])
    done = []
    for planned in rounds:
        folds = ledger.folds[: planned.folds]
        numbers = numbers[: planned.points]
        ledger.fit(numbers, folds)
        done.append(Round(len(numbers), planned.folds))
        numbers = ledger.ranked(numbers, folds)
    first = f"{counted(done[0].points, 'setting')} on {counted(done[0].folds, 'fold')}"
    return ", ".join([first, *(f"{after.points} on {after.folds}" for after in done[1:])])


def plan_rounds(points: int, *, folds: int, budget: int) -> list[Round]:
    """Return the rounds that try as many points as the budget allows, and those on as many folds as possible.

    The last round is on all folds; the rest of the budget adds points to it.

    >>> plan_rounds(100, folds=4, budget=60)
    [Round(points=39, folds=1), Round(points=13, folds=2), Round(points=4, folds=4)]
    """
    plans = [_widest(points, resources, budget) for resources in _ladders(folds)]
    best = max(plans, key=lambda rounds: (rounds[0].points, rounds[0].folds) if rounds else (0, 0))
    return _with_rest(best, budget)


def _ladders(folds: int) -> list[list[int]]:
    """Return the numbers of folds of the rounds, for every possible number in the first round.

    >>> _ladders(5)
    [[1, 2, 5], [2, 5], [3, 5], [4, 5], [5]]
    """
    ladders = []
    for start in range(1, folds + 1):
        ladder = [start]
        while ladder[-1] < folds:
            more = ladder[-1] * MORE
            ladder.append(more if more * MORE <= folds else folds)
        ladders.append(ladder)
    return ladders


def _widest(points: int, ladder: Sequence[int], budget: int) -> list[Round]:
    """Return the rounds with the most points that the budget allows; none when it allows not even one."""
    low, high = 0, min(points, budget)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _cost(_narrowed(middle, ladder)) <= budget else (low, middle - 1)
    return _narrowed(low, ladder) if low else []


def _narrowed(points: int, ladder: Sequence[int]) -> list[Round]:
    return [Round(max(1, points // KEPT**place), folds) for place, folds in enumerate(ladder)]


def _with_rest(rounds: list[Round], budget: int) -> list[Round]:
    if len(rounds) == 1:
        return rounds
    *before, last = rounds
    price = last.folds - before[-1].folds
    more = min((budget - _cost(rounds)) // price, before[-1].points - last.points)
    return [*before, Round(last.points + more, last.folds)]


def _cost(rounds: Sequence[Round]) -> int:
    earlier = [0, *(planned.folds for planned in rounds)]
    return sum(planned.points * (planned.folds - before) for planned, before in zip(rounds, earlier, strict=False))
