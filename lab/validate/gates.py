"""Gates: each compares one number with a threshold and gives the reason of its verdict."""

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
    """A value with its 95 % interval, the threshold, and the verdict with its reason.

    A gate fails when its number is undefined. It is `not judged` when there is nothing to compare, and then blocks
    nothing.
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
        """Whether the gate does not block the challenger."""
        return self.verdict != "failed"


@dataclass(frozen=True)
class NamedGate:
    """A gate with its name, its topic, and whether it decides or is informational."""

    name: str
    about: str
    decides: bool
    gate: Gate


def floor(found: Estimate, threshold: float) -> Gate:
    """Return the gate of a metric that must be at least the threshold."""
    if found.value is None:
        return _gate(found, "at least", threshold, passed=False, reason="undefined on these rows")
    passed = found.value >= threshold
    low, high = _ends(found)
    claim = "meets the floor" if passed else "misses the floor"
    reason = _with_interval(claim, found, clear=not low < threshold <= high)
    return _gate(found, "at least", threshold, passed=passed, reason=reason)


def ceiling(found: Estimate, threshold: float, *, note: str = "") -> Gate:
    """Return the gate of an error that must be at most the threshold."""
    if found.value is None:
        return _gate(found, "at most", threshold, passed=False, reason=f"undefined on these rows{note}")
    passed = found.value <= threshold
    low, high = _ends(found)
    claim = "within the limit" if passed else "exceeds the limit"
    reason = _with_interval(claim, found, clear=not low <= threshold < high)
    return _gate(found, "at most", threshold, passed=passed, reason=f"{reason}{note}")


def widest_difference(gaps: Sequence[PairGap], limit: float, *, note: str = "") -> Gate:
    """Return the gate on the widest difference; it fails when a difference beyond the limit is significant.

    A significant difference is shown before a wider one that is not significant.
    """
    significant = [gap for gap in gaps if gap.value > limit and gap.low > 0]
    gap = max(significant or gaps, key=lambda each: each.value)
    claim = _beyond(beyond=gap.value > limit, clear=gap.high <= limit or gap.low > limit, significant=bool(significant))
    return _compared(gap, "at most", limit, passed=not significant, reason=f"{claim}{note}")


def lowest_ratio(ratios: Sequence[PairGap], limit: float, *, note: str = "") -> Gate:
    """Return the gate on the lowest ratio; it fails when a ratio below the limit is significant."""
    significant = [ratio for ratio in ratios if ratio.value < limit and ratio.high < 1]
    ratio = min(significant or ratios, key=lambda each: each.value)
    claim = _beyond(
        beyond=ratio.value < limit, clear=ratio.low >= limit or ratio.high < limit, significant=bool(significant)
    )
    return _compared(ratio, "at least", limit, passed=not significant, reason=f"{claim}{note}")


def not_judged(rule: Rule, threshold: float, reason: str) -> Gate:
    """Return the gate of a comparison that is not possible."""
    return Gate(None, None, None, rule, threshold, "not judged", reason)


def not_worse(
    labels: Truths, champion: Numbers, challenger: Numbers, *, margin: float, resamples: int, rng: np.random.Generator
) -> Gate:
    """Return the non-inferiority gate on ROC AUC: the whole paired interval must be above minus the margin.

    With too few rows the interval is wide and the gate fails.
    """
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        reason = "one class only" if positives or negatives else "no row"
        return _gate(UNDEFINED, "above", -margin, passed=False, reason=f"undefined on these rows: {reason}")
    first, second = resample(labels, [champion, challenger], [_area, _area], resamples=resamples, rng=rng)
    values = [float(area_under_curve(scored_sample(labels, scores))) for scores in (champion, challenger)]
    difference = second["roc_auc"] - first["roc_auc"]
    found = estimate(values[1] - values[0], difference, rows=min(positives, negatives))
    passed = found.low is not None and found.low > -margin
    reason = f"champion {values[0]:.4f}, challenger {values[1]:.4f}: " + (
        "the interval is above minus the margin" if passed else "the interval includes a loss beyond the margin"
    )
    return _gate(found, "above", -margin, passed=passed, reason=reason)


def verdict_of(named: Sequence[NamedGate]) -> dict[str, Any]:
    """Return the verdict as data: it passes when every deciding gate passes.

    The gates are lists, since DVC shows every number in a mapping as a metric.
    """
    deciding, reported = ([each for each in named if each.decides is decides] for decides in (True, False))
    failed = [each.name for each in deciding if not each.gate.passed]
    return {
        "passed": not failed,
        "failed": failed,
        "gates": [_documented(each) for each in deciding],
        "reported": [_documented(each) for each in reported],
    }


def gate_rows(named: Sequence[NamedGate]) -> list[dict[str, Any]]:
    """Return one row for each gate, for plots/validate/gates.csv."""
    words = {True: "yes", False: "no"}
    return [
        {**_documented(each), "passed": words[each.gate.passed], "decides": words[each.decides], "about": each.about}
        for each in named
    ]


def _documented(named: NamedGate) -> Mapping[str, Any]:
    return {"gate": named.name, **asdict(named.gate), "passed": named.gate.passed}


def _area(sample: ScoredSample) -> dict[str, Numbers]:
    return {"roc_auc": area_under_curve(sample)}


def _beyond(*, beyond: bool, clear: bool, significant: bool) -> str:
    if not beyond:
        return "within the limit" if clear else "within the limit, but its interval crosses it"
    if not significant:
        return "beyond the limit, but not significant"
    return "beyond the limit with its whole interval" if clear else "beyond the limit and significant"


def _ends(found: Estimate) -> tuple[float, float]:
    """Return the interval, with infinity for an unknown end."""
    return (-math.inf if found.low is None else found.low), (math.inf if found.high is None else found.high)


def _with_interval(claim: str, found: Estimate, *, clear: bool) -> str:
    if found.low is None and found.high is None:
        return claim
    return f"{claim} with its whole interval" if clear else f"{claim}, but its interval crosses it"


def _compared(gap: PairGap, rule: Rule, limit: float, *, passed: bool, reason: str) -> Gate:
    found = Estimate(gap.value, gap.low, gap.high)
    return _gate(found, rule, limit, passed=passed, reason=f"{gap.larger} against {gap.smaller}: {reason}")


def _gate(found: Estimate, rule: Rule, threshold: float, *, passed: bool, reason: str) -> Gate:
    verdict: Verdict = "passed" if passed else "failed"
    return Gate(found.value, found.low, found.high, rule, threshold, verdict, reason)
