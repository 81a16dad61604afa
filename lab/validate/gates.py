"""Judge a challenger: each gate compares one number with a threshold, and says why it passed or failed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.classification import ScoredSample, area_under_curve, scored_sample
from lab.stats.models.bootstrap import UNDEFINED, Estimate, estimate, resample
from lab.stats.models.gaps import PairGap

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Rule = Literal["at least", "at most", "above"]
Verdict = Literal["passed", "failed", "not judged"]


@dataclass(frozen=True)
class Gate:
    """A value with its interval of 95 %, the threshold that it is held to, and what came of it.

    A gate fails where the number that is asked for cannot be had, and is not judged where there is nothing to compare;
    `reason` says which. What is not judged stops nobody.
    """

    value: float | None
    low: float | None
    high: float | None
    rule: Rule
    threshold: float
    verdict: Verdict
    reason: str

    @property
    def passed(self) -> bool:
        """Whether the gate lets the challenger through."""
        return self.verdict != "failed"


@dataclass(frozen=True)
class HeldGate:
    """A gate under its name: what it is about, and whether it decides or only reports."""

    name: str
    about: str
    decides: bool
    gate: Gate


def floor(seen: Estimate, threshold: float) -> Gate:
    """Return the gate that a metric passes when its value is the threshold or more."""
    if seen.value is None:
        return _gate(seen, "at least", threshold, passed=False, reason="undefined on these rows")
    passed = seen.value >= threshold
    low, high = _ends(seen)
    word = "meets the floor" if passed else "misses the floor"
    return _gate(
        seen, "at least", threshold, passed=passed, reason=_said(word, seen, settled=not low < threshold <= high)
    )


def ceiling(seen: Estimate, threshold: float, *, note: str = "") -> Gate:
    """Return the gate that an error passes when its value is the threshold or less."""
    if seen.value is None:
        return _gate(seen, "at most", threshold, passed=False, reason=f"undefined on these rows{note}")
    passed = seen.value <= threshold
    low, high = _ends(seen)
    word = "keeps the limit" if passed else "exceeds the limit"
    said = _said(word, seen, settled=not low <= threshold < high)
    return _gate(seen, "at most", threshold, passed=passed, reason=f"{said}{note}")


def widest_difference(gaps: Sequence[PairGap], limit: float, *, note: str = "") -> Gate:
    """Return the gate on the widest of several differences; one beyond the limit counts when it is more than chance.

    A wider one that may be chance does not hide a narrower one that counts.
    """
    counted = [gap for gap in gaps if gap.value > limit and gap.low > 0]
    gap = max(counted or gaps, key=lambda each: each.value)
    word = _beyond(beyond=gap.value > limit, settled=gap.high <= limit or gap.low > limit, counts=bool(counted))
    return _compared(gap, "at most", limit, passed=not counted, reason=f"{word}{note}")


def lowest_ratio(ratios: Sequence[PairGap], limit: float, *, note: str = "") -> Gate:
    """Return the gate on the lowest of several ratios; one below the limit counts when it is more than chance."""
    counted = [ratio for ratio in ratios if ratio.value < limit and ratio.high < 1]
    ratio = min(counted or ratios, key=lambda each: each.value)
    word = _beyond(beyond=ratio.value < limit, settled=ratio.low >= limit or ratio.high < limit, counts=bool(counted))
    return _compared(ratio, "at least", limit, passed=not counted, reason=f"{word}{note}")


def not_judged(rule: Rule, threshold: float, reason: str) -> Gate:
    """Return the gate of a comparison that cannot be made."""
    return Gate(None, None, None, rule, threshold, "not judged", reason)


def not_worse(
    labels: Truths, champion: Numbers, challenger: Numbers, *, margin: float, resamples: int, rng: np.random.Generator
) -> Gate:
    """Return the gate on ROC AUC, challenger less champion: the whole paired interval must lie above minus the margin.

    So "not worse" is shown, not taken from a difference that too few rows could not find.
    """
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        reason = "one class only" if positives or negatives else "no row"
        return _gate(UNDEFINED, "above", -margin, passed=False, reason=f"undefined on these rows: {reason}")
    first, second = resample(labels, [champion, challenger], [_area, _area], resamples=resamples, rng=rng)
    values = [float(area_under_curve(scored_sample(labels, scores))) for scores in (champion, challenger)]
    moved = second["roc_auc"] - first["roc_auc"]
    seen = estimate(values[1] - values[0], moved, rows=min(positives, negatives))
    passed = seen.low is not None and seen.low > -margin
    reason = f"champion {values[0]:.4f}, challenger {values[1]:.4f}: " + (
        "the interval lies above minus the margin" if passed else "the interval does not rule out a loss of the margin"
    )
    return _gate(seen, "above", -margin, passed=passed, reason=reason)


def verdict_of(held: Sequence[HeldGate]) -> dict[str, Any]:
    """Return the verdict as data: passed when every gate that decides is, and which ones are not.

    The gates are lists, which DVC does not take apart: as mappings they would be eight metrics each.
    """
    deciding, reported = ([each for each in held if each.decides is decides] for decides in (True, False))
    failed = [each.name for each in deciding if not each.gate.passed]
    return {
        "passed": not failed,
        "failed": failed,
        "gates": [_documented(each) for each in deciding],
        "reported": [_documented(each) for each in reported],
    }


def gate_rows(held: Sequence[HeldGate]) -> list[dict[str, Any]]:
    """Return one row a gate, for plots/validate/gates.csv."""
    words = {True: "yes", False: "no"}
    return [
        {**_documented(each), "passed": words[each.gate.passed], "decides": words[each.decides], "about": each.about}
        for each in held
    ]


def _documented(held: HeldGate) -> Mapping[str, Any]:
    return {"gate": held.name, **asdict(held.gate), "passed": held.gate.passed}


def _area(counted: ScoredSample) -> dict[str, Numbers]:
    return {"roc_auc": area_under_curve(counted)}


def _beyond(*, beyond: bool, settled: bool, counts: bool) -> str:
    if not beyond:
        return "within the limit" if settled else "within the limit, but more cannot be ruled out"
    if not counts:
        return "beyond the limit, but it may be chance"
    return "beyond the limit, as is the whole interval" if settled else "beyond the limit and more than chance"


def _ends(seen: Estimate) -> tuple[float, float]:
    """Return the interval; an end that is not known lies at infinity."""
    return (-math.inf if seen.low is None else seen.low), (math.inf if seen.high is None else seen.high)


def _said(word: str, seen: Estimate, *, settled: bool) -> str:
    if seen.low is None and seen.high is None:
        return word
    return f"{word}, as does the whole interval" if settled else f"{word}, but the interval holds both sides"


def _compared(gap: PairGap, rule: Rule, limit: float, *, passed: bool, reason: str) -> Gate:
    seen = Estimate(gap.value, gap.low, gap.high)
    return _gate(seen, rule, limit, passed=passed, reason=f"{gap.larger} against {gap.smaller}: {reason}")


def _gate(seen: Estimate, rule: Rule, threshold: float, *, passed: bool, reason: str) -> Gate:
    verdict: Verdict = "passed" if passed else "failed"
    return Gate(seen.value, seen.low, seen.high, rule, threshold, verdict, reason)
