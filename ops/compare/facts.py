"""Collect the facts that decide what to do with a change."""

from lab.abtest.compare_models import LOWER_IS_BETTER
from lab.pages.markdown import gate_name, interval, number, p_value, percent, readable_name, signed
from ops.compare.advice import Advice, Facts, advise
from ops.compare.comparison import Comparison
from ops.compare.differences import Judged
from ops.compare.gates import Course, GateChange

YARDSTICK = ("abtest", "compare", "promote")  # settings by which this very comparison, and the promotion, are judged


def advice_of(comparison: Comparison) -> Advice:
    """Return what to do with the head, compared with the base."""
    return advise(facts_of(comparison))


def facts_of(comparison: Comparison) -> Facts:
    """Return what the rule reads."""
    metrics, settings = comparison.metrics, comparison.settings
    primary, rows = metrics.primary(settings), metrics.rows
    others = [each for each in metrics.challenger.tested if each.metric != settings.primary]
    return Facts(
        primary=settings.primary,
        word=primary.word,
        numbers=numbers_of(primary),
        why_untested=primary.reason if primary.word == "undefined" else metrics.untested,
        rows_beyond=tuple(f"{each.table}: {percent(each.share)}" for each in comparison.inputs.data.beyond),
        rows_unknown=tuple(comparison.inputs.data.unknown),
        newly_failing=tuple(map(gate_name, comparison.newly_failing)),
        still_failing=_gates(comparison, "still fails"),
        failing=_gates(comparison, "fails"),
        within_noise=_gates(comparison, "within noise"),
        stale=tuple(each.stage for each in comparison.head.stale),
        stale_base=tuple(each.stage for each in comparison.base.stale),
        only_shared_rows=rows is not None and not rows.same and rows.compared > 0,
        data_changed=rows is not None and not rows.same,
        other_inputs=rows is not None and rows.same and rows.features == "of other data",
        other_task=comparison.other_task,
        trained_anew=comparison.inputs.trained_anew,
        drift_suggests_retraining=comparison.drift.newly_suggests_retraining,
        other_metrics_worse=tuple(readable_name(each.metric) for each in others if each.word == "worse"),
        yardstick=_yardstick(comparison),
        base_is_ahead=comparison.base_is_ahead,
    )


def _gates(comparison: Comparison, course: Course) -> tuple[str, ...]:
    return tuple(gate_name(each.gate) for each in comparison.gates if each.decides and each.course == course)


def numbers_of(seen: Judged) -> str:
    """Return a difference with its interval and corrected p-value in a few words."""
    if seen.difference is None:
        return seen.reason
    if seen.low is None or seen.high is None:
        return f"{signed(seen.difference)}, untested"
    text = f"{signed(seen.difference)}, 95 % interval {interval(seen.low, seen.high)}"
    if seen.metric in LOWER_IS_BETTER:
        text = f"{text}, less is better"
    if seen.word == "not distinguishable" and seen.detectable is not None:
        return f"{text}; differences below {number(seen.detectable)} would mostly go unseen"
    return text if seen.p_adjusted is None else f"{text}, p {p_value(seen.p_adjusted)} after correction"


def _yardstick(comparison: Comparison) -> tuple[str, ...]:
    settings = [each.name for each in comparison.inputs.params if each.name.split(".")[0] in YARDSTICK]
    moved = [gate_name(each.gate) for each in comparison.gates if each.moved and _decided(each)]
    return (*settings, *(f"the gate {name}" for name in moved))


def _decided(gate: GateChange) -> bool:
    return gate.decides or (gate.base is not None and gate.base.decides)
