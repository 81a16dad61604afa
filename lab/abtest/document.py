"""What an analysis says, as one document for metrics/abtest.json and for `python -m ops abtest --json`."""

from dataclasses import asdict
from typing import Any

from lab.abtest.assess import Analysis, Step
from lab.abtest.bayesian import Belief, beliefs_in_effect, beliefs_in_shares
from lab.abtest.effects import Arms, Effect, effect_of
from lab.abtest.secondary import further_answers
from lab.stats.core.probabilities import normal_quantile
from lab.stats.experiments.group_sequential import inflation
from lab.stats.experiments.posteriors import WARNING
from lab.stats.experiments.verdicts import Verdict

POWER = 0.8
EXPLORES = "segments explore: many are looked at, none decides, and their intervals are not corrected for that"


def document_of(analysis: Analysis) -> dict[str, Any]:
    """Return the document; numbers are lists of records, which DVC does not take apart into metrics."""
    chosen, health = analysis.chosen, analysis.health
    return {
        "analysed": True,
        "reason": sentence_of(analysis),
        "decision": {"treatment": chosen, **_verdict(analysis.verdicts[chosen])},
        "decisions": [{"treatment": name, **_verdict(verdict)} for name, verdict in analysis.verdicts.items()],
        "units": _units(analysis),
        "left_out": analysis.tally.late,
        "sample_ratio": {"p_value": health.ratio.p_value, "log10_p": health.ratio.log10_p},
        "health": [asdict(check) for check in health.checks],
        "look": _look(analysis),
        "effects": [asdict(effect) for effect in analysis.all_effects],
        "segments": {"note": EXPLORES, "levels": _segments(analysis)} if analysis.design.segments else None,
        "further": further_answers(analysis),
        "path": [step_record(step) for step in analysis.path],
        "beliefs": {"warning": WARNING, "arms": [asdict(belief) for belief in _beliefs(analysis)]},
        "power": [_power(found[0], analysis) for found in analysis.effects.values()],
    }


def sentence_of(analysis: Analysis) -> str:
    """Return the decision, the rule that fired and the reasons in one line."""
    look, verdict = analysis.look, analysis.verdicts[analysis.chosen]
    at = f"look {look.number} of {look.planned}" if look.planned > 1 else "one look"
    return f"{verdict.action} {analysis.chosen} ({verdict.rule}; {at}): {'; '.join(verdict.reasons)}"


def step_record(step: Step) -> dict[str, Any]:
    """Return a look as a record, with both bounds."""
    return {**asdict(step), "lower": None if step.bound is None else -step.bound, "crossed": step.crossed}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"action": verdict.action, "rule": verdict.rule, "reasons": list(verdict.reasons)}


def _units(analysis: Analysis) -> list[dict[str, Any]]:
    design, ratio = analysis.design, analysis.health.ratio
    return [
        {"arm": name, "units": count, "expected": expected, "weight": design.weights[name]}
        for name, count, expected in zip(design.arms, ratio.counts, ratio.expected, strict=True)
    ]


def _look(analysis: Analysis) -> dict[str, Any]:
    look = analysis.look
    return {
        "look": look.number,
        "looks": look.planned,
        "rule": look.rule,
        "spending": look.spending,
        "information": look.information,
        "bound": look.z,
        "level": look.level,
        "spent": look.so_far.spent[-1],
        "final": look.progress.final,
        "refused": look.refused,
    }


def _segments(analysis: Analysis) -> list[dict[str, Any]]:
    design, found = analysis.design, []
    for segment in design.segments:
        for level, everyone in analysis.tally.groups.get(segment, {}).items():
            for treatment in design.treatments:
                pair = everyone[0], everyone[design.arms.index(treatment)]
                effect = effect_of(
                    design.primary, Arms(treatment, pair, everyone), analysis.look, analysis.tally, design
                )
                numbers = {key: getattr(effect, key) for key in ("difference", "low", "high", "word", "reason")}
                units = [arm.count for arm in pair]
                found.append({"segment": segment, "level": level, "treatment": treatment, "units": units, **numbers})
    return found


def _beliefs(analysis: Analysis) -> list[Belief]:
    design, tally = analysis.design, analysis.tally
    outcome = design.outcomes[design.primary]
    if outcome.kind == "share":
        place = tally.column(design.primary)
        return beliefs_in_shares(design.arms, analysis.everyone, place, higher_is_better=outcome.higher_is_better)
    effects = (found[0] for found in analysis.effects.values())
    return [belief for effect in effects for belief in beliefs_in_effect(design.control, effect)]


def _power(effect: Effect, analysis: Analysis) -> dict[str, Any]:
    """Return the smallest true difference in the primary outcome that the whole plan calls four times in five."""
    look = analysis.look
    if not effect.standard_error:
        return {"treatment": effect.treatment, "detectable": None, "price_of_looking": None}
    price = inflation(look.plan, level=look.level, power=POWER)
    reach = (normal_quantile(1 - look.level / 2) + normal_quantile(POWER)) * price**0.5
    full = effect.standard_error * look.information**0.5
    return {"treatment": effect.treatment, "detectable": reach * full, "price_of_looking": price}
