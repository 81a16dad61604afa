"""Convert spaces and points to Optuna's distributions and trials, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from lab.model_files.specification import Setting
from lab.search.points import key_of, size_of, within
from lab.search.space import Choices, Point, Range, Space


def new_study(space: Space, points: Sequence[tuple[Point, float]], *, seed: int) -> optuna.Study:
    """Return a study that maximises, with these points and values; those outside the space are left out."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    known = distributions_of(space)
    for point, value in points:
        if (params := _encoded(space, point)) is not None:
            study.add_trial(optuna.trial.create_trial(params=params, distributions=dict(known), value=value))
    return study


def ask(study: optuna.Study, space: Space) -> Point:
    """Return the next proposal of the study, rounded."""
    return _decoded(space, study.ask(dict(distributions_of(space))).params)


def distributions_of(space: Space) -> Mapping[str, BaseDistribution]:
    """Return the distributions of settings that vary; choices are indices, sorted when they are numbers."""
    varying = {name: space[name] for name in sorted(space) if size_of({name: space[name]}) != 1}
    return {name: _distribution(dimension) for name, dimension in varying.items()}


def _distribution(dimension: Choices | Range) -> BaseDistribution:
    if not isinstance(dimension, Range):
        places = len(dimension) - 1
        ordered = all(_is_number(value) for value in dimension)
        return IntDistribution(0, places) if ordered else CategoricalDistribution(range(places + 1))
    log = dimension.scale == "log"
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=log)
    return FloatDistribution(dimension.low, dimension.high, log=log)


def _encoded(space: Space, point: Point) -> dict[str, Any] | None:
    """Return a point as Optuna's parameters, None when a value is outside the space."""
    params: dict[str, Any] = {}
    for name in distributions_of(space):
        dimension, value = space[name], point[name]
        if not isinstance(dimension, Range):
            places = [place for place, choice in enumerate(_ordered(dimension)) if _same(choice, value)]
            if not places:
                return None
            params[name] = places[0]
        elif _is_number(value) and dimension.low <= value <= dimension.high:  # type: ignore[operator]
            params[name] = value
        else:
            return None
    return params


def _decoded(space: Space, params: Mapping[str, Any]) -> Point:
    return {name: _value(space[name], params.get(name, 0)) for name in sorted(space)}


def _value(dimension: Choices | Range, found: Any) -> Setting:
    return within(dimension, found) if isinstance(dimension, Range) else _ordered(dimension)[found]


def _ordered(choices: Choices) -> Choices:
    return sorted(choices) if all(_is_number(value) for value in choices) else choices  # type: ignore[type-var]


def _is_number(value: Setting) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(one: Setting, other: Setting) -> bool:
    return key_of({"": one}) == key_of({"": other})
