"""Plot data of an analysis: effects, looks and bounds, posteriors, power."""

from collections.abc import Mapping, Sequence
from typing import Any

from lab.abtest.assess import Analysis, Step
from lab.abtest.bayesian import effect_points, share_points
from lab.abtest.document import POWER, step_record
from lab.abtest.effects import Effect
from lab.core.result_files import csv_bytes
from lab.stats.experiments.group_sequential import sequential_power

STEPS, FURTHEST = 40, 5.0  # of a true difference, in standard errors at full information


COLUMNS = {
    "effects": [
        *("treatment", "outcome", "role", "lift", "low", "high", "margin", "control", "value", "word"),
        *("measured", "direction"),
    ],
    "path": ["treatment", "look", "information", "units", "z", "bound", "lower", "crossed"],
    "posterior": ["outcome", "arm", "value", "density"],
    "power": ["treatment", "outcome", "effect", "power", "wanted", "seen"],
}


def points_of(analysis: Analysis) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each plot file."""
    found = {
        "effects": [_effect(effect) for effect in analysis.all_effects],
        "path": [_step(step) for step in analysis.path] + _remaining_looks(analysis),
        "posterior": _posterior(analysis),
        "power": [point for effects in analysis.effects.values() for point in _power(effects[0], analysis)],
    }
    return {name: [{column: row[column] for column in COLUMNS[name]} for row in rows] for name, rows in found.items()}


def csv_of(name: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a plot file, which without rows has only the header: declared plots must exist."""
    return csv_bytes(rows) if rows else f"{','.join(COLUMNS[name])}\n".encode()


def _effect(effect: Effect) -> dict[str, Any]:
    """Return an effect in per cent of the control value, so that all outcomes share one axis.

    On it, right is better: `lift` and its interval have the opposite sign where lower is better; `measured` has not.
    """
    sign = 1 if effect.higher_is_better else -1
    margin = None if effect.margin is None or not effect.control else -effect.margin / abs(effect.control)
    ends = effect.lift_low, effect.lift_high
    low, high = ends if effect.higher_is_better else ends[::-1]
    return {
        "treatment": effect.treatment,
        "outcome": effect.label,
        "role": effect.role,
        "lift": _percent(effect.lift, sign),
        "low": _percent(low, sign),
        "high": _percent(high, sign),
        "margin": _percent(margin),
        "control": effect.control,
        "value": effect.value,
        "word": effect.word,
        "measured": _percent(effect.lift),
        "direction": "" if effect.higher_is_better else ", lower is better",
    }


def _percent(value: float | None, sign: int = 1) -> float | None:
    return None if value is None else 100 * sign * value


def _step(step: Step) -> dict[str, Any]:
    return {**step_record(step), "crossed": "yes" if step.crossed else "no"}


def _remaining_looks(analysis: Analysis) -> list[dict[str, Any]]:
    """Return the bounds of the looks still to come."""
    look = analysis.look
    ahead = range(len(look.so_far.z), len(look.plan.z))
    return [
        {
            "treatment": treatment,
            "look": place + 1,
            "information": look.plan.information[place],
            "units": None,
            "z": None,
            "bound": bound,
            "lower": None if bound is None else -bound,
            "crossed": None,
        }
        for treatment in analysis.design.treatments
        for place in ahead
        for bound in [look.plan.z[place]]
    ]


def _posterior(analysis: Analysis) -> list[dict[str, Any]]:
    design, log = analysis.design, analysis.log
    if design.outcomes[design.primary].kind == "share":
        place = log.column(design.primary)
        named = zip(design.arms, analysis.all_arms, strict=True)
        curves = [share_points(name, arm, place) for name, arm in named]
    else:
        curves = [effect_points(found[0]) for found in analysis.effects.values()]
    label = next(iter(analysis.all_effects)).label
    return [{"outcome": label, **point} for curve in curves for point in curve]


def _power(effect: Effect, analysis: Analysis) -> list[dict[str, Any]]:
    """Return the power of the whole plan by the true difference in the primary outcome."""
    if not effect.standard_error:
        return []
    look = analysis.look
    full = effect.standard_error * look.information**0.5
    drifts = [FURTHEST * step / STEPS for step in range(STEPS + 1)]
    return [
        {
            "treatment": effect.treatment,
            "outcome": effect.label,
            "effect": drift * full,
            "power": sequential_power(look.plan, drift=drift),
            "wanted": POWER,
            "seen": effect.difference,
        }
        for drift in drifts
    ]
