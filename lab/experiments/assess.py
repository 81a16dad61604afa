"""Analyse an experiment from its log: health first, then effects at this look, then one decision with its reasons."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lab.experiments.beliefs import WARNING, Belief, beliefs_in_effect, beliefs_in_shares, effect_points, share_points
from lab.experiments.effects import Arms, Effect, arms_of, effect_of, measure
from lab.experiments.health import Health, check_health
from lab.experiments.log import read_log
from lab.experiments.looking import Look, look_at
from lab.experiments.tally import Tally, tally_log
from lab.stats.corrections import holm
from lab.stats.group_sequential import inflation, sequential_power
from lab.stats.moments import Moments
from lab.stats.probabilities import normal_quantile
from lab.stats.verdicts import Verdict, decide
from lab.task.experiment import Design

POWER = 0.8
POWER_POINTS = 40
ORDER = ("INVALID", "SHIP", "EXTEND", "INCONCLUSIVE", "ROLLBACK")


@dataclass(frozen=True)
class Found:
    """All that a log says: the document for people and machines, and the points for plots."""

    document: dict[str, Any]
    points: dict[str, list[dict[str, Any]]]


def assess(path: Path, design: Design) -> Found:
    """Return what the log of an experiment says; the same log and design give the same bytes."""
    tally = tally_log(read_log(path, design), design)
    look = look_at(tally, design)
    everyone = tally.at_look(len(tally.periods))
    health = check_health(tally, everyone, design, lambda: read_log(path, design))
    effects = {
        name: [
            effect_of(key, arms_of(name, everyone, tally, design), look, tally, design)
            for key in design.ordered_outcomes
        ]
        for name in design.treatments
    }
    effects = _adjusted(effects, level=design.level)
    verdicts = {name: _verdict(found, health, look) for name, found in effects.items()}
    chosen = _chosen(verdicts, effects)
    path_points = _path(tally, look, design)
    beliefs = _beliefs(effects, everyone, tally, design)
    power = [_power(found[0], look) for found in effects.values()]
    document = {
        "analysed": True,
        "reason": _sentence(chosen, verdicts[chosen], look),
        "decision": {**_record(verdicts[chosen]), "treatment": chosen, "exit_code": verdicts[chosen].exit_code},
        "decisions": [{"treatment": name, **_record(verdict)} for name, verdict in verdicts.items()],
        "units": [
            {"arm": name, "units": arm.count, "weight": design.weights[name], "expected": expected}
            for name, arm, expected in zip(design.arms, everyone, health.ratio.expected, strict=True)
        ],
        "left_out": tally.late,
        "sample_ratio": {
            "p_value": health.ratio.p_value,
            "log10_p": health.ratio.log10_p,
            "reason": health.ratio.reason,
        },
        "health": [asdict(check) for check in health.checks],
        "look": _look(look),
        "effects": [_effect(effect) for found in effects.values() for effect in found],
        "segments": _segments(tally, look, design),
        "path": path_points,
        "beliefs": {"arms": [asdict(each) for each in beliefs], "warning": WARNING},
        "power": power,
    }
    points = {
        "effects": _effect_points(effects),
        "path": path_points,
        "posterior": _posterior_points(effects, everyone, tally, design),
        "power": [point for found in effects.values() for point in _power_points(found[0], look)],
    }
    return Found(document, points)


def _verdict(effects: Sequence[Effect], health: Health, look: Look) -> Verdict:
    guardrails = tuple(effect.finding for effect in effects if effect.role == "guardrail")
    return decide(effects[0].finding, guardrails=guardrails, faults=health.faults, progress=look.progress)


def _chosen(verdicts: dict[str, Verdict], effects: dict[str, list[Effect]]) -> str:
    """Return the treatment whose decision is that of the experiment: the one to ship, else the one that is furthest."""
    return min(
        verdicts, key=lambda name: (ORDER.index(verdicts[name].action), -effects[name][0].finding.difference, name)
    )


def _adjusted(effects: dict[str, list[Effect]], *, level: float) -> dict[str, list[Effect]]:
    """Return the effects with Holm's p-values over all outcomes that do not decide, of all treatments."""
    others = [effect for found in effects.values() for effect in found if effect.role == "secondary"]
    tested = [effect.p_value for effect in others if effect.p_value is not None]
    corrected = iter(holm(tested))
    p_values = {(effect.treatment, effect.outcome): next(corrected) for effect in others if effect.p_value is not None}
    return {
        name: [_held(replace(each, p_adjusted=p_values.get((each.treatment, each.outcome))), level) for each in found]
        for name, found in effects.items()
    }


def _held(effect: Effect, level: float) -> Effect:
    """Return the effect with a word that also holds after the correction for many outcomes."""
    if effect.role == "secondary" and effect.word in {"better", "worse"} and (effect.p_adjusted or 0) >= level:
        return replace(effect, word="not distinguishable")
    return effect


def _path(tally: Tally, look: Look, design: Design) -> list[dict[str, Any]]:
    """Return z and its bound at every look so far, of the primary outcome; only the current one without dates."""
    looks = len(look.so_far.z)
    steps = range(1, looks + 1) if design.looks.dates and looks <= len(tally.periods) else [looks]
    found = []
    for treatment in design.treatments:
        for step in steps:
            everyone = tally.at_look(step) if design.looks.dates else tally.at_look(len(tally.periods))
            arms = replace(arms_of(treatment, everyone, tally, design), strata=())
            z = measure(design.primary, arms, tally, design, level=0.95).comparison.statistic
            bound = look.so_far.z[step - 1]
            found.append(
                {
                    "treatment": treatment,
                    "look": step,
                    "information": look.so_far.information[step - 1],
                    "units": sum(arm.count for arm in everyone),
                    "z": z,
                    "bound": bound,
                    "lower": None if bound is None else -bound,
                    "crossed": None if z is None or bound is None else abs(z) > bound,
                }
            )
    return found


def _segments(tally: Tally, look: Look, design: Design) -> list[dict[str, Any]]:
    """Return the primary outcome in every level of every segment; these explore, and decide nothing."""
    found = []
    for segment in design.segments:
        for level, everyone in tally.groups.get(segment, {}).items():
            for treatment in design.treatments:
                arms = Arms(treatment, (everyone[0], everyone[design.arms.index(treatment)]), everyone)
                effect = effect_of(design.primary, arms, look, tally, design)
                found.append(
                    {
                        "segment": segment,
                        "level": level,
                        "treatment": treatment,
                        "units": [arm.count for arm in arms.pair],
                        **{key: getattr(effect, key) for key in ("difference", "low", "high", "p_value", "reason")},
                    }
                )
    tested = [row["p_value"] for row in found if row["p_value"] is not None]
    corrected = iter(holm(tested))
    return [{**row, "p_adjusted": None if row["p_value"] is None else next(corrected)} for row in found]


def _beliefs(
    effects: dict[str, list[Effect]], everyone: tuple[Moments, ...], tally: Tally, design: Design
) -> list[Belief]:
    outcome = design.outcomes[design.primary]
    if outcome.kind == "share":
        place = tally.column(design.primary)
        return beliefs_in_shares(design.arms, everyone, place, higher_is_better=outcome.higher_is_better)
    return [belief for found in effects.values() for belief in beliefs_in_effect(design.control, found[0])]


def _power(effect: Effect, look: Look) -> dict[str, Any]:
    """Return the smallest true difference that the whole plan would call four times in five."""
    if not effect.standard_error:
        return {"treatment": effect.treatment, "detectable": None, "price_of_looking": None}
    price = inflation(look.plan, level=look.level, power=POWER)
    reach = (normal_quantile(1 - look.level / 2) + normal_quantile(POWER)) * price**0.5
    full = effect.standard_error * look.information**0.5
    return {"treatment": effect.treatment, "detectable": reach * full, "price_of_looking": price}


def _power_points(effect: Effect, look: Look) -> list[dict[str, Any]]:
    if not effect.standard_error:
        return []
    full = effect.standard_error * look.information**0.5
    drifts = [5.0 * step / POWER_POINTS for step in range(POWER_POINTS + 1)]
    return [
        {"treatment": effect.treatment, "effect": drift * full, "power": sequential_power(look.plan, drift=drift).power}
        for drift in drifts
    ]


def _effect_points(effects: dict[str, list[Effect]]) -> list[dict[str, Any]]:
    """Return every effect in per cent of the control's value, so that outcomes of any unit share one axis."""
    rows = []
    for effect in (effect for found in effects.values() for effect in found):
        margin = None if effect.margin is None or not effect.control else effect.margin / abs(effect.control)
        if margin is not None and effect.higher_is_better:
            margin = -margin
        percents = {"lift": effect.lift, "low": effect.lift_low, "high": effect.lift_high, "margin": margin}
        rows.append(
            {
                "treatment": effect.treatment,
                "outcome": effect.outcome,
                "role": effect.role,
                **{name: None if value is None else 100 * value for name, value in percents.items()},
                "control": effect.control,
                "value": effect.value,
                "word": effect.word,
            }
        )
    return rows


def _posterior_points(
    effects: dict[str, list[Effect]], everyone: tuple[Moments, ...], tally: Tally, design: Design
) -> list[dict[str, Any]]:
    if design.outcomes[design.primary].kind == "share":
        place = tally.column(design.primary)
        curves = [share_points(name, arm, place) for name, arm in zip(design.arms, everyone, strict=True)]
    else:
        curves = [effect_points(found[0]) for found in effects.values()]
    return [{"outcome": design.primary, **point} for curve in curves for point in curve]


def _look(look: Look) -> dict[str, Any]:
    return {
        "look": look.number,
        "looks": look.planned,
        "rule": look.rule,
        "information": look.information,
        "bound": look.z,
        "level": look.level,
        "spent": look.so_far.spent[-1],
        "final": look.progress.final,
        "refused": look.refused,
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return asdict(effect)


def _record(verdict: Verdict) -> dict[str, Any]:
    return {"action": verdict.action, "rule": verdict.rule, "reasons": list(verdict.reasons)}


def _sentence(treatment: str, verdict: Verdict, look: Look) -> str:
    at = f"look {look.number} of {look.planned}" if look.planned > 1 else "one look"
    return f"{verdict.action} {treatment} ({verdict.rule}; {at}): {'; '.join(verdict.reasons)}"
