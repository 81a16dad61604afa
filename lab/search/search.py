"""Search the settings of one candidate with the best out-of-fold score."""

from collections.abc import Callable

from lab.core.errors import ParamsError
from lab.search.bayesian import search_bayesian
from lab.search.exhaustive import search_grid, search_randomly
from lab.search.halving import search_by_halving
from lab.search.importance import importance_of
from lab.search.ledger import Ledger
from lab.search.points import restrict
from lab.search.result import Evaluate, Progress, SearchResult
from lab.search.rule import SearchRule
from lab.search.space import Point, Space
from lab.search.words import counted
from lab.stats.core.classification import LOWER_IS_BETTER


def search(
    space: Space,
    rule: SearchRule,
    *,
    default: Point,
    folds: int,
    seed: int,
    where: str,
    evaluate: Evaluate,
    report: Callable[[Progress], None],
) -> SearchResult:
    """Return the best point of the space; the values of `default` are tried first.

    `evaluate` returns the score by `rule.by` of each (point, fold from 1) in order; the last fold is the newest. The
    number of parallel fits and the order in which they end do not change the result. `where` names the rule in
    messages.
    """
    if rule.method == "none" or not space:
        reason = "no search: its own settings" if rule.method == "none" else "no search: the space is empty"
        return SearchResult(dict(default), rule.method, rule.by, rule.budget, 0, reason, (), {}, reason)
    if rule.budget < folds:
        raise ParamsError(
            f"{where}.budget is {rule.budget} fits, expected at least {folds}: one for each of "
            f"{counted(folds, 'fold')}. Cure: raise the budget, or set {where}.method to none."
        )
    newest_first = range(folds, 0, -1)
    lower = rule.by in LOWER_IS_BETTER
    ledger = Ledger(evaluate, folds=newest_first, most=rule.budget, lower_is_better=lower, report=report)
    ledger.add([restrict(space, default)])
    done = _run(ledger, space, rule, seed=seed, where=where)
    return _result(ledger, space, rule, seed=seed, where=where, done=done)


def _run(ledger: Ledger, space: Space, rule: SearchRule, *, seed: int, where: str) -> str:
    if rule.method == "grid":
        return search_grid(ledger, space, where=where)
    methods = {"random": search_randomly, "halving": search_by_halving, "bayesian": search_bayesian}
    return methods[rule.method](ledger, space, seed=seed)


def _result(ledger: Ledger, space: Space, rule: SearchRule, *, seed: int, where: str, done: str) -> SearchResult:
    winner, failures = ledger.winner(), ledger.failures()
    if winner is None:
        number, reason = failures[0]
        raise ParamsError(
            f"{where}: none of {counted(len(ledger.points), 'setting')} could be fitted on all folds; the first, "
            f"{dict(ledger.points[number - 1])}: {reason}"
        )
    importance, importance_reason = importance_of(ledger, space, seed=seed)
    return SearchResult(
        best=ledger.points[winner - 1],
        method=rule.method,
        by=rule.by,
        budget=rule.budget,
        fits=ledger.fits,
        reason=f"{rule.method}: {done}{_failures_text(failures)}",
        trials=ledger.trials(),
        importance=importance,
        importance_reason=importance_reason,
    )


def _failures_text(failures: list[tuple[int, str]]) -> str:
    """Return how many points could not be fitted, and the reason of the first."""
    if not failures:
        return ""
    number, reason = failures[0]
    return f"; {len(failures)} could not be fitted, the first (number {number}): {reason.splitlines()[0]}"
