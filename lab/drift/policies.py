"""The retraining rules, including naive ones for comparison."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.core.result_files import read_json
from lab.reference.settings import Policies, Policy
from lab.stats.shift.shifts import Shift

FALSE_ALARMS = Path("lab/drift/false_alarms.json")
ROLLING_ROWS = 20
NAIVE_LEVEL = 0.05
DAY = 86_400

MEANINGS = {
    "drifted_columns": "the share of drifted columns is above the limit",
    "weighted_columns": "the importance of the drifted columns is above the limit",
    "realised_performance": "the champion's ROC AUC on labelled rows is significantly worse, beyond the margin",
    "estimated_performance": "the champion's estimated ROC AUC is significantly worse, beyond the margin",
    "age": "the newest reference row is older than the limit, in days",
    "naive_columns": "the share of columns with an uncorrected p-value below 0.05 is above the limit",
    "naive_performance": "the champion's ROC AUC fell by more than the limit, relative to the reference; no test",
    "naive_rolling_mean": f"a mean of {ROLLING_ROWS} consecutive scores is too far from the reference mean",
    "naive_mean_score": "the mean score changed by more than the limit, relative to the reference; no test",
}
WITHOUT_VALUE = {
    "drifted_columns": "no column can be tested",
    "weighted_columns": "no column of any importance can be tested",
    "realised_performance": "the ROC AUC has no interval",
    "estimated_performance": "the ROC AUC has no interval",
    "age": "the rows or the reference have no moment",
    "naive_columns": "no column can be tested",
    "naive_performance": "the ROC AUC is not known in both samples",
    "naive_rolling_mean": f"fewer than {ROLLING_ROWS} rows have a score",
    "naive_mean_score": "the mean score is not known in both samples, or is 0",
}


@dataclass(frozen=True)
class RuleInput:
    """The input of a rule; `fired` overrides the comparison of the value with the limit.

    A rule without a value cannot be judged; `reason` says why.
    """

    value: float | None
    fired: bool | None = None
    reason: str = ""


def read_false_alarms(path: Path = FALSE_ALARMS) -> dict[str, Any]:
    """Return the false alarm rate of each rule, as measured by `python -m benchmarks.drift`."""
    try:
        content: dict[str, Any] = read_json(path)
        rates = {int(rows): dict(found) for rows, found in content["rates"].items()}
        return {"conditions": content["conditions"], "rates": rates}
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path} has no false alarm rates: found {error!r}. Cure: git checkout {path}") from error


def rates_for(rows: int, rates: Mapping[int, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the rates measured on batches of the most similar size; empty without measurements."""
    if not rates:
        return {}
    return rates[min(rates, key=lambda measured: (abs(np.log(max(rows, 1) / measured)), measured))]


def evaluate_rules(
    inputs: Mapping[str, RuleInput], policies: Policies, rates: Mapping[str, Mapping[str, float]]
) -> list[dict[str, Any]]:
    """Return every rule with its value, whether it fired, whether it counts, and its false alarm rate."""
    return [_evaluated(name, inputs[name], getattr(policies, name), rates.get(name)) for name in MEANINGS]


def combine(rules: Sequence[Mapping[str, Any]], faults: Collection[object]) -> dict[str, Any]:
    """Return whether to retrain, which is when any rule that counts has fired on undamaged data, and why."""
    counting = [rule for rule in rules if rule["counts"]]
    return {
        "suggested": any(rule["fired"] for rule in counting) and not faults,
        "reasons": [f"{rule['policy']}: {rule['says']}" for rule in counting if rule["fired"]],
        "rules": {
            rule["policy"]: {"fired": rule["fired"], "limit": rule["limit"], "value": rule["value"]}
            for rule in counting
        },
    }


def naive_share(shifts: Mapping[str, Shift]) -> float | None:
    """Return the share of columns with a p-value below 0.05, without correction for multiple tests."""
    p_values = [shift.p_value for shift in shifts.values() if shift.p_value is not None]
    return float(np.mean([p_value < NAIVE_LEVEL for p_value in p_values])) if p_values else None


def furthest_rolling_mean(scores: NDArray[np.float64], mean: float | None) -> float | None:
    """Return the largest distance of a rolling mean of scores, in time order, from the reference mean."""
    if mean is None or len(scores) < ROLLING_ROWS:
        return None
    sums = np.cumsum(np.concatenate([[0.0], scores]))
    return float(np.max(np.abs((sums[ROLLING_ROWS:] - sums[:-ROLLING_ROWS]) / ROLLING_ROWS - mean)))


def relative_change(before: float | None, after: float | None) -> float | None:
    """Return the change relative to the value before; None when that is 0 or unknown."""
    if before is None or after is None or before == 0:
        return None
    return (after - before) / before


def days_between(first: str | None, last: str | None) -> float | None:
    """Return the days from one moment to another, both as text; None when one is unknown."""
    if first is None or last is None:
        return None
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds() / DAY


def _evaluated(name: str, found: RuleInput, policy: Policy, known: Mapping[str, float] | None) -> dict[str, Any]:
    beyond = found.value is not None and policy.limit is not None and found.value > policy.limit
    fired = found.fired if found.fired is not None else beyond
    limited = found.fired is not None or policy.limit is not None
    reason = found.reason or WITHOUT_VALUE[name] if found.value is None else "" if limited else "it has no limit"
    return {
        "policy": name,
        "says": MEANINGS[name],
        "naive": name.startswith("naive_"),
        "counts": policy.counts,
        "fired": bool(fired),
        "judged": not reason,
        "value": found.value,
        "limit": policy.limit,
        "false_alarm_rate": known["rate"] if known else None,
        "false_alarm_low": known["low"] if known else None,
        "false_alarm_high": known["high"] if known else None,
        "false_alarm_rows": known["rows"] if known else None,
        "reason": reason,
    }
