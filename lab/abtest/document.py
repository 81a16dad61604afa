"""Convert an analysis to the JSON of metrics/abtest.json and `python -m ops abtest --json`."""

from dataclasses import asdict
from typing import Any

from lab.abtest.assess import Analysis, Step
from lab.abtest.bayesian import ArmPosterior, effect_posteriors, share_posteriors
from lab.abtest.effects import Arms, Effect, effect_of
from lab.abtest.secondary import secondary_analyses
from lab.stats.core.probabilities import normal_quantile
from lab.stats.experiments.group_sequential import inflation
from lab.stats.experiments.posteriors import WARNING
from lab.stats.experiments.verdicts import Verdict

POWER = 0.8
EXPLORATORY = "exploratory: segments do not decide, and their intervals are not corrected for multiple comparisons"


def document_of(analysis: Analysis) -> dict[str, Any]:
    """Return the document; numbers are in lists of records, which DVC does not show as metrics."""
    chosen, health = analysis.chosen, analysis.health
    return {
        "analysed": True,
        "reason": sentence_of(analysis),
        "decision": {"treatment": chosen, **_verdict(analysis.verdicts[chosen])},
        "decisions": [{"treatment": name, **_verdict(verdict)} for name, verdict in analysis.verdicts.items()],
        "units": _units(analysis),
        "left_out": analysis.log.late,
        "sample_ratio": {"p_value": health.ratio.p_value, "log10_p": health.ratio.log10_p},
        "health": [asdict(check) for check in health.checks],
        "look": _look(analysis),
        "effects": [asdict(effect) for effect in analysis.all_effects],
        "segments": {"note": EXPLORATORY, "levels": _segments(analysis)} if analysis.design.segments else None,
        "further": secondary_analyses(analysis),
        "path": [step_record(step) for step in analysis.path],
        "beliefs": {"warning": WARNING, "arms": [asdict(posterior) for posterior in _posteriors(analysis)]},
        "power": [_power(found[0], analysis) for found in analysis.effects.values()],
    }


def sentence_of(analysis: Analysis) -> str:
    """Return action, rule and reasons in one line."""
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
        for level, all_arms in analysis.log.groups.get(segment, {}).items():
            for treatment in design.treatments:
                pair = all_arms[0], all_arms[design.arms.index(treatment)]
                effect = effect_of(design.primary, Arms(treatment, pair, all_arms), analysis.look, analysis.log, design)
                numbers = {key: getattr(effect, key) for key in ("difference", "low", "high", "word", "reason")}
                units = [arm.count for arm in pair]
                found.append({"segment": segment, "level": level, "treatment": treatment, "units": units, **numbers})
    return found


def _posteriors(analysis: Analysis) -> list[ArmPosterior]:
    design, log = analysis.design, analysis.log
    outcome = design.outcomes[design.primary]
    if outcome.kind == "share":
        place = log.column(design.primary)
        return share_posteriors(design.arms, analysis.all_arms, place, higher_is_better=outcome.higher_is_better)
    effects = (found[0] for found in analysis.effects.values())
    return [posterior for effect in effects for posterior in effect_posteriors(design.control, effect)]


def _power(effect: Effect, analysis: Analysis) -> dict[str, Any]:
    """Return the minimum detectable effect on the primary outcome of the whole plan, at a power of 80 %."""
    look = analysis.look
    if not effect.standard_error:
        return {"treatment": effect.treatment, "detectable": None, "price_of_looking": None}
    factor = inflation(look.plan, level=look.level, power=POWER)
    drift = (normal_quantile(1 - look.level / 2) + normal_quantile(POWER)) * factor**0.5
    full = effect.standard_error * look.information**0.5
    return {"treatment": effect.treatment, "detectable": drift * full, "price_of_looking": factor}
