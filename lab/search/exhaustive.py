"""Grid search over every point, and random search within the budget."""

from lab.core.errors import ParamsError
from lab.core.seeds import generator_of
from lab.search.ledger import Ledger
from lab.search.points import draw, grid_of, size_of
from lab.search.space import Space
from lab.search.words import counted


def search_grid(ledger: Ledger, space: Space, *, where: str) -> str:
    """Fit every point of the grid on every fold, and return a summary as text."""
    numbers = ledger.add([*ledger.points, *grid_of(space)])
    needed, folds = len(numbers) * len(ledger.folds), len(ledger.folds)
    if needed > ledger.most:
        raise ParamsError(
            f"{where}.space: the grid and the candidate's own settings are {len(numbers)} points, which need {needed} "
            f"fits on {counted(folds, 'fold')}; found {where}.budget {ledger.most}. Cure: raise it to {needed}, use "
            "fewer points, or choose the method halving or bayesian, which work with any budget."
        )
    ledger.most = needed
    ledger.fit(numbers, ledger.folds)
    return f"all {counted(len(numbers), 'setting')} of the grid on {counted(folds, 'fold')}"


def search_randomly(ledger: Ledger, space: Space, *, seed: int) -> str:
    """Fit random points on every fold, and return a summary as text."""
    folds = len(ledger.folds)
    count = ledger.most // folds - len(ledger.points)
    points = draw(space, count, rng=generator_of(seed, "search"), without=ledger.keys)
    numbers = ledger.add([*ledger.points, *points])
    ledger.most = len(numbers) * folds
    ledger.fit(numbers, ledger.folds)
    size = size_of(space)
    of = "" if size is None else f" of {size}"
    return f"{len(numbers)}{of} random settings on {counted(folds, 'fold')}"
