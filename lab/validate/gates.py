"""Gates: each compares one number with a threshold and gives the reason of its verdict."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lab.predictions.units import Codes
from lab.stats.core.classification import ScoredSample, area_under_curve, scored_sample
from lab.stats.models.bootstrap import UNDEFINED, Estimate, estimate, resample, smaller_class

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Rule = Literal["at least", "at most", "above"]
Verdict = Literal["passed", "within noise", "failed", "not judged"]

WORST_FIRST: tuple[Verdict, ...] = ("failed", "within noise", "passed")


@dataclass(frozen=True)
class Gate:
    """A value with its 95 % interval, the threshold, and the verdict with its reason.

    The gate is `not judged` when there is nothing to compare, and then blocks nothing.
    """

    value: float | None
    low: float | None
    high: float | None
    rule: Rule
    threshold: float
    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class NamedGate:
    """A gate with its name, its topic, and whether it decides or is informational."""

    name: str
    about: str
    decides: bool
    gate: Gate


def judge(found: Estimate, rule: Rule, threshold: float, *, about: str = "", note: str = "") -> Gate:
    """Return the gate of a number, by the one rule of all gates.

    It passes when the value keeps the limit; for `above`, when the whole interval does. Otherwise it is within noise
    when the interval holds the limit, and fails when the whole interval is beyond. Without an interval there is no
    noise. An undefined number fails.

    >>> [judge(Estimate(0.78, 0.72, high), "at least", 0.8).verdict for high in (0.79, 0.84)]
    ['failed', 'within noise']
    """
    verdict, reason = _verdict(found, rule, threshold)
    return Gate(found.value, found.low, found.high, rule, threshold, verdict, f"{about}{reason}{note}")


def worst(gates: Iterable[Gate]) -> Gate:
    """Return the gate with the worst verdict; among equal verdicts, the one that is furthest beyond its limit."""
    return min(gates, key=lambda each: (WORST_FIRST.index(each.verdict), _rooms(each, each.rule, each.threshold)[0]))


def not_judged(rule: Rule, threshold: float, reason: str) -> Gate:
    """Return the gate of a comparison that is not possible."""
    return Gate(None, None, None, rule, threshold, "not judged", reason)


def not_worse(
    labels: Truths,
    champion: Numbers,
    challenger: Numbers,
    *,
    margin: float,
    resamples: int,
    rng: np.random.Generator,
    units: Codes | None = None,
) -> Gate:
    """Return the non-inferiority gate on ROC AUC: the whole paired interval must be above minus the margin.

    With too few rows the interval is wide and the gate does not pass.
    """
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        reason = "one class only" if positives or negatives else "no row"
        return judge(UNDEFINED, "above", -margin, note=f": {reason}")
    scores = [champion, challenger]
    first, second = resample(labels, scores, [_area, _area], resamples=resamples, rng=rng, units=units)
    values = [float(area_under_curve(scored_sample(labels, each))) for each in scores]
    difference = second["roc_auc"] - first["roc_auc"]
    found = estimate(values[1] - values[0], difference, rows=smaller_class(labels, units))
    return judge(found, "above", -margin, about=f"champion {values[0]:.4f}, challenger {values[1]:.4f}: ")


def verdict_of(named: Sequence[NamedGate]) -> dict[str, Any]:
    """Return the verdict as data: it passes when no deciding gate fails.

    The gates are lists, since DVC shows every number in a mapping as a metric.
    """
    deciding, reported = ([each for each in named if each.decides is decides] for decides in (True, False))
    failed, unclear = (
        [each.name for each in deciding if each.gate.verdict == verdict] for verdict in ("failed", "within noise")
    )
    return {
        "passed": not failed,
        "failed": failed,
        "within_noise": unclear,
        "counts": {
            verdict.replace(" ", "_"): sum(each.gate.verdict == verdict for each in deciding)
            for verdict in ("passed", "within noise", "failed")
        },
        "gates": [_documented(each) for each in deciding],
        "reported": [_documented(each) for each in reported],
    }


def gate_rows(named: Sequence[NamedGate]) -> list[dict[str, Any]]:
    """Return one row for each gate, for plots/validate/gates.csv."""
    words = {True: "yes", False: "no"}
    return [{**_documented(each), "decides": words[each.decides], "about": each.about} for each in named]


def _documented(named: NamedGate) -> Mapping[str, Any]:
    return {"gate": named.name, **asdict(named.gate)}


def _area(sample: ScoredSample) -> dict[str, Numbers]:
    return {"roc_auc": area_under_curve(sample)}


def _verdict(found: Estimate, rule: Rule, threshold: float) -> tuple[Verdict, str]:
    if found.value is None:
        return "failed", "undefined on these rows"
    room, least, most = _rooms(found, rule, threshold)
    certain = found.low is None and found.high is None
    if least > 0 if rule == "above" else room >= 0:
        crosses = "with its whole interval" if least >= 0 else "but its interval crosses it"
        return "passed", "keeps the limit" if certain else f"keeps the limit{',' * (least < 0)} {crosses}"
    if most >= 0:
        beyond = "beyond the limit, but its interval holds it"
        return "within noise", beyond if room < 0 else "its interval holds the limit"
    return "failed", "beyond the limit" if certain else "beyond the limit with its whole interval"


def _rooms(found: Estimate | Gate, rule: Rule, threshold: float) -> tuple[float, float, float]:
    """Return how far the value and the worse and the better end of its interval keep the limit; below 0: beyond it.

    An unknown end of an interval is infinite.
    """
    value = -math.inf if found.value is None else found.value
    low, high = found.low, found.high
    if low is None and high is None:
        low = high = value
    ends = (-math.inf if low is None else low, math.inf if high is None else high)
    if rule == "at most":
        return threshold - value, threshold - ends[1], threshold - ends[0]
    return value - threshold, ends[0] - threshold, ends[1] - threshold
