"""Bayesian search with Optuna's TPE in fixed batches; clearly worse points stop after one fold."""

from collections.abc import Sequence

from lab.core.seeds import generator_of, integer_of
from lab.search.ledger import Ledger
from lab.search.points import draw, key_of
from lab.search.space import Point, Space
from lab.search.words import counted

RANDOM_POINTS = 8  # size of the first batch
BATCH = 4  # size of later batches, independent of the number of workers
PROPOSALS_PER_POINT = 10  # at most, to find a new point


def search_bayesian(ledger: Ledger, space: Space, *, seed: int) -> str:
    """Fit batches of points, and return a summary as text.

    Each point is fitted on the newest fold first. Of the first, random batch the best point continues on the other
    folds; of later, proposed batches those that are on the newest fold as good as the best so far. No point is started
    when the budget cannot finish one.
    """
    newest, others = ledger.folds[:1], ledger.folds[1:]
    size = min(RANDOM_POINTS, ledger.remaining - len(others)) - len(ledger.points)
    points = draw(space, size, rng=generator_of(seed, "search"), without=ledger.keys)
    numbers = ledger.add([*ledger.points, *points])
    batch = 0
    while numbers:
        ledger.fit(numbers, newest)
        ledger.fit(_promising(ledger, numbers), others)
        batch += 1
        size = max(0, min(BATCH, ledger.remaining - len(others)))
        numbers = ledger.add(propose(ledger, space, size, seed=integer_of(seed, f"search {batch}")))
    unfinished = [number for number in ledger.numbers if ledger.folds_of(number) != list(ledger.folds)]
    ledger.fit(_affordable(ledger, ledger.ranked(unfinished, newest)), others)
    complete = len(ledger.ranked(ledger.numbers, ledger.folds))
    return f"{counted(len(ledger.points), 'setting')} on 1 fold, {complete} of them on {len(ledger.folds)}"


def propose(ledger: Ledger, space: Space, count: int, *, seed: int) -> list[Point]:
    """Return new points, fewer when the space has no more; they depend on the earlier scores and on the seed."""
    if not count:
        return []
    from lab.search.study import ask, new_study  # noqa: PLC0415 - only this method imports Optuna

    study = new_study(space, _values(ledger), seed=seed)
    known = set(ledger.keys)
    found: list[Point] = []
    for _ in range(PROPOSALS_PER_POINT * count):
        if len(found) == count:
            break
        point = ask(study, space)
        if key_of(point) not in known:
            known.add(key_of(point))
            found.append(point)
    return [*found, *draw(space, count - len(found), rng=generator_of(seed, "rest"), without=known)]


def _promising(ledger: Ledger, numbers: Sequence[int]) -> list[int]:
    newest, best = ledger.folds[:1], ledger.winner()
    ranked = ledger.ranked(numbers, newest)
    if best is None:
        return _affordable(ledger, ranked[:1])
    return _affordable(ledger, [number for number in ranked if not ledger.better(best, number, newest)])


def _affordable(ledger: Ledger, numbers: Sequence[int]) -> list[int]:
    """Return the first of these points, as many as the budget can finish on all folds."""
    return list(numbers[: ledger.remaining // max(1, len(ledger.folds) - 1)])


def _values(ledger: Ledger) -> list[tuple[Point, float]]:
    """Return each point with its mean difference from the first complete one, on the folds that it was fitted on.

    A point that could not be fitted gets the worst value, so that it is not proposed again.
    """
    first = next((number for number in ledger.numbers if ledger.gain(number, ledger.folds) is not None), None)
    leads = [_lead(ledger, number, first) for number in ledger.numbers]
    worst = min((lead for lead in leads if lead is not None), default=0.0)
    return [(point, worst if lead is None else lead) for point, lead in zip(ledger.points, leads, strict=True)]


def _lead(ledger: Ledger, number: int, first: int | None) -> float | None:
    folds = ledger.folds_of(number)
    gain, bar = ledger.gain(number, folds), ledger.gain(first, folds) if first is not None else 0.0
    return None if gain is None or bar is None else gain - bar
