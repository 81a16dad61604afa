"""Search by trying: every point of the grid, or as many points by chance as the budget allows."""

from lab.core.errors import ParamsError
from lab.core.seeds import generator_of
from lab.search.ledger import Ledger
from lab.search.points import draw, grid_of, size_of
from lab.search.space import Space
from lab.search.words import counted


def search_grid(ledger: Ledger, space: Space, *, where: str) -> str:
    """Fit every point of the grid on every fold, and return what was done in words."""
    numbers = ledger.add([*ledger.points, *grid_of(space)])
    needed, folds = len(numbers) * len(ledger.folds), len(ledger.folds)
    if needed > ledger.most:
        raise ParamsError(
            f"{where}.space: the grid and the candidate's own settings are {len(numbers)} points, which need {needed} "
            f"fits on {counted(folds, 'fold')}; found {where}.budget {ledger.most}. Cure: raise it to {needed}, give "
            "fewer points, or take the method halving or bayesian, which keep to any budget."
        )
    ledger.most = needed
    ledger.fit(numbers, ledger.folds)
    return f"all {counted(len(numbers), 'setting')} of the grid on {counted(folds, 'fold')}"


def search_randomly(ledger: Ledger, space: Space, *, seed: int) -> str:
    """Fit points drawn by chance on every fold, and return what was done in words."""
    folds = len(ledger.folds)
    wanted = ledger.most // folds - len(ledger.points)
    points = draw(space, wanted, rng=generator_of(seed, "search"), without=ledger.keys)
    numbers = ledger.add([*ledger.points, *points])
    ledger.most = len(numbers) * folds
    ledger.fit(numbers, ledger.folds)
    size = size_of(space)
    of = "" if size is None else f" of {size}"
    return f"{len(numbers)}{of} settings by chance on {counted(folds, 'fold')}"
