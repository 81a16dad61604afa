"""Search with Optuna's tree-structured Parzen estimator, in fixed batches, without waste on what is clearly worse."""

from collections.abc import Sequence

from lab.core.seeds import generator_of, integer_of
from lab.search.ledger import Ledger
from lab.search.points import draw, key_of
from lab.search.space import Point, Space
from lab.search.words import counted

BY_CHANCE = 8  # points of the first batch, before there is anything to learn from
BATCH = 4  # points that are proposed at a time after it; the same for any number of workers
ASKED = 10  # proposals for one point that is new


def search_bayesian(ledger: Ledger, space: Space, *, seed: int) -> str:
    """Fit batches of points, and return what was done in words.

    Each point of a batch is fitted on the newest fold. Of the first batch, which chance spreads over the space, the
    best goes on to the other folds; of later ones, which are proposed, what is as good on the newest fold as the best
    so far. No point is begun when none could be brought to an end any more.
    """
    newest, others = ledger.folds[:1], ledger.folds[1:]
    size = min(BY_CHANCE, ledger.left - len(others)) - len(ledger.points)
    points = draw(space, size, rng=generator_of(seed, "search"), without=ledger.keys)
    numbers = ledger.add([*ledger.points, *points])
    batch = 0
    while numbers:
        ledger.fit(numbers, newest)
        ledger.fit(_promising(ledger, numbers), others)
        batch += 1
        size = max(0, min(BATCH, ledger.left - len(others)))
        numbers = ledger.add(propose(ledger, space, size, seed=integer_of(seed, f"search {batch}")))
    unfinished = [number for number in ledger.numbers if ledger.tried(number) != list(ledger.folds)]
    ledger.fit(_affordable(ledger, ledger.ranked(unfinished, newest)), others)
    complete = len(ledger.ranked(ledger.numbers, ledger.folds))
    return f"{counted(len(ledger.points), 'setting')} on 1 fold, {complete} of them on {len(ledger.folds)}"


def propose(ledger: Ledger, space: Space, count: int, *, seed: int) -> list[Point]:
    """Return so many new points, fewer where the space has no more; they follow from what was seen, and the seed."""
    if not count:
        return []
    from lab.search.study import ask, new_study  # noqa: PLC0415 - Optuna is imported by this method alone

    study = new_study(space, _values(ledger), seed=seed)
    known = set(ledger.keys)
    found: list[Point] = []
    for _ in range(ASKED * count):
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
    """Return the first of these points, as many as the budget can bring from the newest fold to an end."""
    return list(numbers[: ledger.left // max(1, len(ledger.folds) - 1)])


def _values(ledger: Ledger) -> list[tuple[Point, float]]:
    """Return each point with its mean lead over the first complete one, on the folds that it was fitted on.

    What could not be fitted counts as much as the worst, so that it is not proposed again and again.
    """
    first = next((number for number in ledger.numbers if ledger.gain(number, ledger.folds) is not None), None)
    leads = [_lead(ledger, number, first) for number in ledger.numbers]
    worst = min((lead for lead in leads if lead is not None), default=0.0)
    return [(point, worst if lead is None else lead) for point, lead in zip(ledger.points, leads, strict=True)]


def _lead(ledger: Ledger, number: int, first: int | None) -> float | None:
    folds = ledger.tried(number)
    gain, bar = ledger.gain(number, folds), ledger.gain(first, folds) if first is not None else 0.0
    return None if gain is None or bar is None else gain - bar
