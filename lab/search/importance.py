"""Importance of each setting: its share of the variance of scores (functional ANOVA)."""

from collections.abc import Sequence

from lab.core.seeds import integer_of
from lab.search.ledger import Ledger
from lab.search.points import key_of
from lab.search.space import Point, Space

FEWEST = 4


def importance_of(ledger: Ledger, space: Space, *, seed: int) -> tuple[dict[str, float], str]:
    """Return the share of each setting (sum 1), or no shares and the reason.

    Points are compared on the folds that all of them were fitted on (Hutter, Hoos and Leyton-Brown, 2014, ICML). The
    candidate's own settings are left out when they are outside the space.
    """
    numbers = [number for number in ledger.numbers if ledger.gain(number, ledger.folds_of(number)) is not None]
    shared = [fold for fold in ledger.folds if all(fold in ledger.folds_of(number) for number in numbers)]
    known = [
        (ledger.points[number - 1], gain) for number in numbers if (gain := ledger.gain(number, shared)) is not None
    ]
    if len(known) < FEWEST:
        return {}, f"{len(known)} settings have scores, expected at least {FEWEST} for importances"
    if len({gain for _, gain in known}) == 1:
        return {}, "all settings have the same score"
    varying = [name for name in sorted(space) if len({key_of({name: point[name]}) for point, _ in known}) > 1]
    return _shares(known, {name: space[name] for name in varying}, seed=integer_of(seed, "importance"))


def _shares(known: Sequence[tuple[Point, float]], space: Space, *, seed: int) -> tuple[dict[str, float], str]:
    # Optuna is imported only when there are enough points.
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances  # noqa: PLC0415

    from lab.search.study import new_study  # noqa: PLC0415

    study = new_study(space, known, seed=seed)
    if len(study.trials) < FEWEST:
        return {}, f"{len(study.trials)} settings are inside the space, expected at least {FEWEST} for importances"
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=seed))
    whole = sum(found.values())
    return {name: float(found[name] / whole) for name in sorted(found)}, ""
