"""Exact tests of two shares, for arms too small for a limit: Fisher's, Barnard's and Boschloo's."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lab.stats.core.proportions import Trials
from lab.stats.experiments.two_proportions import share_of

Numbers = NDArray[np.float64]
TIES = 1e-7  # tables whose probabilities differ by less are equally likely
NUISANCE_POINTS = 512
MOST_TRIALS = 2000  # in an arm: Barnard's test weighs every table there can be


def fisher_p_value(control: Trials, treatment: Trials) -> float:
    """Return Fisher's exact two-sided p-value (1935) of two arms given as (successes, trials).

    It adds up all tables with the same margins that are no likelier than the one seen.

    >>> round(fisher_p_value((1, 5), (4, 6)), 6)
    0.242424
    """
    share_of(control, "control"), share_of(treatment, "treatment")
    cells, log_chances = _tables_with_these_margins(control, treatment)
    seen = log_chances[cells == control[0]][0]
    chances = np.exp(log_chances - log_chances.max())
    return float(min(1.0, chances[log_chances <= seen + TIES].sum() / chances.sum()))


def barnard_p_value(control: Trials, treatment: Trials, *, ties: float = TIES) -> float:
    """Return Barnard's exact two-sided p-value (1947, Biometrika 34), by the pooled z.

    It is the largest over all shares that both arms could have in common. Tables whose z differs by less than `ties`
    are equally extreme; without that, rounding decides which of two mirrored tables counts.

    >>> round(barnard_p_value((1, 5), (4, 6)), 6)
    0.167969
    """
    _check_size(control, treatment)
    z = _all_pooled_z(control[1], treatment[1])
    extreme = z >= z[control[0], treatment[0]] - ties
    return _largest_chance(extreme, control[1], treatment[1])


def boschloo_p_value(control: Trials, treatment: Trials) -> float:
    """Return Boschloo's exact two-sided p-value (1970, Statistica Neerlandica 24): twice the smaller one-sided one.

    Extreme is a table whose one-sided Fisher p-value is no larger; never less power than Fisher's test.

    >>> round(boschloo_p_value((1, 5), (4, 6)), 6)
    0.167969
    """
    _check_size(control, treatment)
    sides = []
    for first, second in ((control, treatment), (treatment, control)):
        below = _all_fisher_tails(first[1], second[1])
        extreme = below <= below[first[0], second[0]] * (1 + TIES)
        sides.append(_largest_chance(extreme, first[1], second[1]))
    return min(1.0, 2 * min(sides))


def _tables_with_these_margins(control: Trials, treatment: Trials) -> tuple[Numbers, Numbers]:
    hits = control[0] + treatment[0]
    cells = np.arange(max(0, hits - treatment[1]), min(hits, control[1]) + 1, dtype=np.float64)
    return cells, _log_choose(control[1], cells) + _log_choose(treatment[1], hits - cells)


def _all_pooled_z(rows: int, other_rows: int) -> Numbers:
    hits, other_hits = np.arange(rows + 1.0)[:, None], np.arange(other_rows + 1.0)
    pooled = (hits + other_hits) / (rows + other_rows)
    variance = pooled * (1 - pooled) * (1 / rows + 1 / other_rows)
    apart = np.abs(hits / rows - other_hits / other_rows)
    return np.divide(apart, np.sqrt(variance), out=np.zeros_like(apart), where=variance > 0)


def _all_fisher_tails(rows: int, other_rows: int) -> Numbers:
    """Return, for every table, the chance of so few successes in the first arm, given all successes."""
    hits, other_hits = np.arange(rows + 1.0)[:, None], np.arange(other_rows + 1.0)
    total = hits + other_hits
    chances = np.exp(
        _log_choose(rows, hits) + _log_choose(other_rows, other_hits) - _log_choose(rows + other_rows, total)
    )
    tails = np.zeros_like(chances)
    for successes in range(rows + other_rows + 1):
        first = np.arange(max(0, successes - other_rows), min(rows, successes) + 1)
        tails[first, successes - first] = np.cumsum(chances[first, successes - first])
    return tails


def _largest_chance(extreme: NDArray[np.bool_], rows: int, other_rows: int) -> float:
    def chance(shares: Numbers) -> Numbers:
        firsts, seconds = _binomial(rows, shares), _binomial(other_rows, shares)
        inner = np.einsum("ij,kj->ki", extreme.astype(np.float64), seconds)
        total: Numbers = np.einsum("ki,ki->k", firsts, inner)
        return total

    grid = np.linspace(0.0, 1.0, NUISANCE_POINTS + 1)[1:-1]
    return min(1.0, _refine(chance, grid))


def _refine(function: Callable[[Numbers], Numbers], grid: Numbers) -> float:
    """Return the largest value near the best points of a grid, which is laid closer and closer around them."""
    values = function(grid)
    best = float(values.max())
    for place in np.argsort(-values, kind="stable")[:3]:
        middle, width = float(grid[place]), float(grid[1] - grid[0])
        for _ in range(6):
            near = np.clip(np.linspace(middle - width, middle + width, 33), 1e-12, 1 - 1e-12)
            found = function(near)
            middle, width = float(near[np.argmax(found)]), width / 16
            best = max(best, float(found.max()))
    return best


def _binomial(trials: int, shares: Numbers) -> Numbers:
    counts = np.arange(trials + 1.0)
    logs = (
        _log_choose(trials, counts) + counts * np.log(shares)[:, None] + (trials - counts) * np.log1p(-shares)[:, None]
    )
    chances: Numbers = np.exp(logs)
    return chances


def _check_size(control: Trials, treatment: Trials) -> None:
    share_of(control, "control"), share_of(treatment, "treatment")
    if max(control[1], treatment[1]) > MOST_TRIALS:
        raise ValueError(
            f"expected at most {MOST_TRIALS} trials in an arm, got {control[1]} and {treatment[1]}: "
            "this test weighs every table; use compare_proportions, which is right for so many"
        )


def _log_choose(total: float | Numbers, chosen: Numbers) -> Numbers:
    ways: Numbers = special.gammaln(total + 1) - special.gammaln(chosen + 1) - special.gammaln(total - chosen + 1)
    return ways
