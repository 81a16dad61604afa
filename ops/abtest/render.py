"""Render an analysis as text: decision, health checks, effects."""

from collections.abc import Sequence
from typing import Any

from lab.abtest.assess import Analysis
from lab.abtest.document import EXPLORATORY, document_of, sentence_of
from lab.abtest.effects import Effect
from lab.stats.experiments.posteriors import WARNING
from ops.text_table import aligned

HEAD = ("outcome", "role", "control", "treatment", "difference", "interval", "lift", "p", "the treatment is", "")


def to_text(analysis: Analysis) -> str:
    document, look = document_of(analysis), analysis.look
    primary = analysis.all_effects[0]
    unit = "" if primary.measured_in is None else f" {primary.measured_in}"
    checks = [("ok" if check.passed else "FAIL", check.check, check.found) for check in analysis.health.checks]
    parts = [sentence_of(analysis), aligned(checks)]
    if not analysis.health.faults:
        parts += [_of_looks(analysis)]
        parts += [
            f"{name} against {analysis.design.control}:\n{_table(found)}" for name, found in analysis.effects.items()
        ]
        parts += [_secondary(document, primary.label), _posteriors(document, unit), _segments(document, primary.label)]
        parts += [
            f"Minimum detectable effect (power 80 %): {_number(each['detectable'])}{unit}"
            + (
                f" (interim looks cost {100 * (each['price_of_looking'] - 1):.1f} % more units)."
                if look.planned > 1
                else "."
            )
            for each in document["power"]
            if each["detectable"] is not None
        ]
    return "\n\n".join(part for part in [*parts, look.refused] if part)


def _of_looks(analysis: Analysis) -> str:
    look = analysis.look
    if look.planned == 1 and look.rule != "anytime":
        corrected = any(effect.p_adjusted is not None for effect in analysis.all_effects)
        more = "; those of secondary outcomes have the level of their step in Holm's test" if corrected else ""
        return f"One look, at the end: {100 * (1 - look.level):g} % intervals{more}."
    bound = "stopping is not possible yet" if look.z is None else f"|z| must exceed {look.z:.3f}"
    share, rule = f"{100 * look.information:.0f} % of the planned units", look.rule.replace("_", " ")
    return f"Look {look.number} of {look.planned}, {share}, {rule}: {bound}. Intervals are valid over all looks."


def _table(effects: Sequence[Effect]) -> str:
    return aligned([HEAD, *map(_line, effects)])


def _line(effect: Effect) -> tuple[str, ...]:
    margin = f" (margin {effect.margin:g})" if effect.margin else ""
    lift = "" if effect.lift is None else f"{100 * effect.lift:+.2f} %"
    p_value = effect.p_value if effect.p_adjusted is None else effect.p_adjusted
    return (
        effect.label + ("" if effect.higher_is_better else " (lower is better)"),
        effect.role + margin,
        _number(effect.control),
        _number(effect.value),
        _number(effect.difference),
        "" if effect.low is None or effect.high is None else f"{_number(effect.low)} to {_number(effect.high)}",
        lift,
        "" if p_value is None else f"{p_value:.2g}" + ("" if effect.p_adjusted is None else " (Holm)"),
        effect.word,
        "; ".join(filter(None, [effect.estimator, effect.reason])),
    )


def _secondary(document: dict[str, Any], outcome: str) -> str:
    lines = [
        (
            answer["what"],
            answer["treatment"] or "",
            _number(answer["value"]),
            "" if answer["low"] is None else f"{_number(answer['low'])} to {_number(answer['high'])}",
            "" if answer["p_value"] is None else f"p {answer['p_value']:.2g}",
        )
        for answer in document["further"]
    ]
    return f"Secondary analyses of the primary outcome, {outcome}:\n{aligned(lines)}" if lines else ""


def _posteriors(document: dict[str, Any], unit: str) -> str:
    lines = [
        (each["arm"], f"best with probability {each['best']:.4f}", f"expected loss {_number(each['loss'])}{unit}")
        for each in document["beliefs"]["arms"]
    ]
    return f"Bayesian posteriors ({WARNING}):\n{aligned(lines)}" if lines else ""


def _segments(document: dict[str, Any], outcome: str) -> str:
    segments = document["segments"]
    if segments is None or not segments["levels"]:
        return ""
    lines = [
        (
            f"{each['segment']} = {each['level']}",
            each["treatment"],
            f"at least {min(each['units']):,} units in each arm",
            _number(each["difference"]),
            "" if each["low"] is None else f"{_number(each['low'])} to {_number(each['high'])}",
        )
        for each in segments["levels"]
    ]
    return f"{outcome} by segment ({EXPLORATORY}):\n{aligned(lines)}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value + 0.0:.4g}"
