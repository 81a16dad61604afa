"""Search with Optuna's tree-structured Parzen estimator, in fixed batches, without waste on what is clearly worse."""

from collections.abc import Sequence

from lab.search.ledger import Ledger
from lab.search.points import draw, key_of
from lab.search.space import Point, Space
from lab.search.words import counted
from lab.seeds import generator_of, integer_of

BATCH = 4  # points that are proposed at a time; the same for any number of workers
BY_CHANCE = 8  # points before proposals learn from them
ASKED = 10  # proposals for one point that is new


def search_bayesian(ledger: Ledger, space: Space, *, seed: int) -> str:
    """Fit batches of proposed points, and return what was done in words.

    Of a batch each point is fitted on the newest fold, and those that are as good there as the best point so far go on
    to the others. No point is begun that the budget could not bring to an end.
    """
    newest, others = ledger.folds[:1], ledger.folds[1:]
    ledger.fit([1], ledger.folds)
    batch = 0
    while (count := min(BATCH, ledger.left - len(others))) > 0:
        batch += 1
        numbers = ledger.add(propose(ledger, space, count, seed=integer_of(seed, f"search {batch}")))
        if not numbers:
            break
        ledger.fit(numbers, newest)
        ledger.fit(_promising(ledger, numbers), others)
    points = range(1, len(ledger.points) + 1)
    complete = len(ledger.ranked(points, ledger.folds))
    return f"{counted(len(points), 'setting')} on 1 fold, {complete} of them on {len(ledger.folds)}"


def propose(ledger: Ledger, space: Space, count: int, *, seed: int) -> list[Point]:
    """Return so many new points, fewer where the space has no more; they follow from what was seen, and the seed."""
    from lab.search.study import ask, new_study  # noqa: PLC0415 - Optuna is imported by this method alone

    study = new_study(space, _values(ledger), seed=seed, by_chance=BY_CHANCE)
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
    """Return the points that are as good on the newest fold as the best so far, as many as the budget can finish."""
    newest, others = ledger.folds[:1], ledger.folds[1:]
    best = ledger.winner()
    bar = ledger.gain(best, newest) if best is not None else None
    ranked = ledger.ranked(numbers, newest)
    good = [number for number in ranked if bar is None or (ledger.gain(number, newest) or 0.0) >= bar]
    return good[: ledger.left // len(others)] if others else []


def _values(ledger: Ledger) -> list[tuple[Point, float]]:
    """Return each point with its mean lead over the first complete one, on the folds that it was fitted on.

    What could not be fitted counts as much as the worst, so that it is not proposed again and again.
    """
    numbers = range(1, len(ledger.points) + 1)
    first = next((number for number in numbers if ledger.gain(number, ledger.folds) is not None), None)
    leads = {number: _lead(ledger, number, first) for number in numbers}
    worst = min((lead for lead in leads.values() if lead is not None), default=0.0)
    return [(ledger.points[number - 1], worst if (lead := leads[number]) is None else lead) for number in numbers]


def _lead(ledger: Ledger, number: int, first: int | None) -> float | None:
    folds = ledger.tried(number)
    gain, bar = ledger.gain(number, folds), ledger.gain(first, folds) if first is not None else 0.0
    return None if gain is None or bar is None else gain - bar
