"""Judge a challenger: each gate compares one number with a threshold, and says why it passed or failed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lab.stats.bootstrap import Estimate, estimate, resample
from lab.stats.classification import Tally, area_under_curve, tally
from lab.stats.proportions import Gap, widest_gap

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Rule = Literal["at least", "at most", "above"]


@dataclass(frozen=True)
class Gate:
    """A value with its interval of 95 %, the threshold that it is held to, and what came of it.

    A gate that cannot be judged fails where the number is asked for, and passes where there is nothing to compare;
    `reason` says which.
    """

    value: float | None
    low: float | None
    high: float | None
    rule: Rule
    threshold: float
    passed: bool
    reason: str


def floor(seen: Estimate, threshold: float) -> Gate:
    """Return the gate that a metric passes when its value is the threshold or more."""
    if seen.value is None:
        return _gate(seen, "at least", threshold, passed=False, reason="undefined on these rows")
    passed = seen.value >= threshold
    settled = seen.low is not None and seen.high is not None and not seen.low < threshold <= seen.high
    word = "meets the floor" if passed else "misses the floor"
    return _gate(seen, "at least", threshold, passed=passed, reason=_said(word, settled=settled))


def ceiling(seen: Estimate, threshold: float) -> Gate:
    """Return the gate that an error passes when its value is the threshold or less."""
    if seen.value is None:
        return _gate(seen, "at most", threshold, passed=False, reason="undefined on these rows")
    passed = seen.value <= threshold
    settled = seen.low is not None and seen.high is not None and not seen.low <= threshold < seen.high
    word = "keeps the limit" if passed else "exceeds the limit"
    return _gate(seen, "at most", threshold, passed=passed, reason=_said(word, settled=settled))


def accuracy_gap(correct: Truths, levels: Mapping[str, Truths], *, threshold: float, smallest: int) -> Gate:
    """Return the gate on the widest gap in accuracy between the groups of a column.

    A gap beyond the threshold counts when it is more than chance: when its interval, widened for the number of pairs
    of groups, lies above 0. Groups with fewer rows than `smallest` are left out, and named.
    """
    counts = {name: (int(correct[rows].sum()), int(rows.sum())) for name, rows in levels.items()}
    judged = {name: trials for name, trials in counts.items() if trials[1] >= smallest}
    small = [f"{name} ({trials[1]} rows)" for name, trials in counts.items() if trials[1] < smallest]
    aside = f"; too small to judge: {', '.join(small)}" if small else ""
    if len(judged) < 2:
        reason = f"nothing to compare: {len(judged)} group of at least {smallest} rows{aside}"
        return _gate(Estimate(None, None, None), "at most", threshold, passed=True, reason=reason)
    gap = widest_gap(judged)
    passed = gap.value <= threshold or gap.low <= 0
    reason = f"{gap.larger} against {gap.smaller}: {_gap_word(gap, threshold)}{aside}"
    return _gate(Estimate(gap.value, gap.low, gap.high), "at most", threshold, passed=passed, reason=reason)


def not_worse(
    labels: Truths, champion: Numbers, challenger: Numbers, *, margin: float, resamples: int, rng: np.random.Generator
) -> Gate:
    """Return the gate on ROC AUC, challenger less champion: the whole paired interval must lie above minus the margin.

    So "not worse" is shown, not taken from a difference that too few rows could not find.
    """
    if labels.all() or not labels.any():
        return _gate(Estimate(None, None, None), "above", -margin, passed=False, reason="one class only")
    first, second = resample(labels, [champion, challenger], [_area, _area], resamples=resamples, rng=rng)
    values = [float(area_under_curve(tally(labels, scores))) for scores in (champion, challenger)]
    seen = estimate(values[1] - values[0], second["roc_auc"] - first["roc_auc"])
    passed = seen.low is not None and seen.low > -margin
    reason = f"champion {values[0]:.4f}, challenger {values[1]:.4f}: " + (
        "the interval lies above minus the margin" if passed else "the interval does not rule out a loss of the margin"
    )
    return _gate(seen, "above", -margin, passed=passed, reason=reason)


def verdict_of(gates: Mapping[str, Gate]) -> dict[str, Any]:
    """Return the verdict as data: passed when every gate is, and which ones are not.

    The gates are a list, which DVC does not take apart: as a mapping they would be seven metrics each.
    """
    failed = [name for name, gate in gates.items() if not gate.passed]
    return {
        "passed": not failed,
        "failed": failed,
        "gates": [{"gate": name, **asdict(gate)} for name, gate in gates.items()],
    }


def gate_rows(gates: Mapping[str, Gate]) -> Sequence[dict[str, Any]]:
    """Return one row a gate, for plots/validate/gates.csv."""
    return [{"gate": name, **asdict(gate), "passed": "yes" if gate.passed else "no"} for name, gate in gates.items()]


def _area(counted: Tally) -> dict[str, Numbers]:
    return {"roc_auc": area_under_curve(counted)}


def _gap_word(gap: Gap, threshold: float) -> str:
    if gap.value <= threshold:
        return "within the limit" if gap.high <= threshold else "within the limit, but more cannot be ruled out"
    return "beyond the limit and more than chance" if gap.low > 0 else "beyond the limit, but it may be chance"


def _said(word: str, *, settled: bool) -> str:
    return f"{word}, as does the whole interval" if settled else f"{word}, but the interval holds both sides"


def _gate(seen: Estimate, rule: Rule, threshold: float, *, passed: bool, reason: str) -> Gate:
    return Gate(seen.value, seen.low, seen.high, rule, threshold, passed, reason)
