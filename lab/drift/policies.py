"""The rules that suggest a retraining: sound ones, and the naive ones that many teams use; each can be switched."""

from collections.abc import Mapping
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

WORDS = {
    "drifted_columns": "more columns drifted, significantly and materially, than the limit allows",
    "weighted_columns": "drifted columns carry more of the model's importance than the limit allows",
    "realised_performance": "the champion ranks labelled rows worse, beyond the margin and beyond chance",
    "estimated_performance": "the champion is expected to rank worse, beyond the margin and beyond chance",
    "age": "the newest reference row is older, in days, than the limit allows",
    "naive_columns": "more columns have a p-value below 0.05, uncorrected, than the limit allows",
    "naive_performance": "the champion's ROC AUC fell by more than this part, chance or not",
    "naive_rolling_mean": f"a rolling mean of {ROLLING_ROWS} scores left the reference's mean by more than the limit",
    "naive_mean_score": "the mean score moved by more than this part of the reference's, chance or not",
}


@dataclass(frozen=True)
class Sighting:
    """What a rule saw; `fired` may be given where more than the value decides."""

    value: float | None
    fired: bool | None = None
    reason: str = ""


def read_false_alarms(path: Path = FALSE_ALARMS) -> dict[str, Any]:
    """Return how often each rule fires where nothing has changed, as `python -m benchmarks.drift` measured it."""
    try:
        content: dict[str, Any] = read_json(path)
        rates = {int(rows): dict(found) for rows, found in content["rates"].items()}
        return {"conditions": content["conditions"], "rates": rates}
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path} holds no false alarm rates: found {error!r}. Cure: git checkout {path}") from error


def rates_for(rows: int, rates: Mapping[int, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the rates that were measured on batches of about so many rows; none where none were."""
    if not rates:
        return {}
    return rates[min(rates, key=lambda measured: (abs(np.log(max(rows, 1) / measured)), measured))]


def judge_policies(
    sightings: Mapping[str, Sighting], policies: Policies, rates: Mapping[str, Mapping[str, float]]
) -> list[dict[str, Any]]:
    """Return every rule with what it saw, whether it fired and counts, and how often it fires for nothing."""
    return [_judged(name, sightings[name], getattr(policies, name), rates.get(name)) for name in WORDS]


def combine(judged: list[dict[str, Any]]) -> dict[str, Any]:
    """Return whether to retrain: when any rule fired that counts; the reasons are those rules' words."""
    counting = [rule for rule in judged if rule["counts"]]
    return {
        "suggested": any(rule["fired"] for rule in counting),
        "reasons": [f"{rule['policy']}: {rule['says']}" for rule in counting if rule["fired"]],
        "rules": {
            rule["policy"]: {"fired": rule["fired"], "limit": rule["limit"], "value": rule["value"]}
            for rule in counting
        },
    }


def naive_share(shifts: Mapping[str, Shift]) -> float | None:
    """Return the share of columns whose p-value lies below 0.05, as if each were the only one looked at."""
    p_values = [shift.p_value for shift in shifts.values() if shift.p_value is not None]
    return float(np.mean([p_value < NAIVE_LEVEL for p_value in p_values])) if p_values else None


def furthest_rolling_mean(scores: NDArray[np.float64], mean: float | None) -> float | None:
    """Return the furthest that a rolling mean of scores, in the order of time, lies from the reference's mean."""
    if mean is None or len(scores) < ROLLING_ROWS:
        return None
    sums = np.cumsum(np.concatenate([[0.0], scores]))
    return float(np.max(np.abs((sums[ROLLING_ROWS:] - sums[:-ROLLING_ROWS]) / ROLLING_ROWS - mean)))


def relative_change(before: float | None, after: float | None) -> float | None:
    """Return the change as a part of what was before; None where there is nothing to divide by."""
    if before is None or after is None or before == 0:
        return None
    return (after - before) / before


def days_between(first: str | None, last: str | None) -> float | None:
    """Return the days from one moment to another, both as text; None where one is unknown."""
    if first is None or last is None:
        return None
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds() / DAY


def _judged(name: str, seen: Sighting, policy: Policy, known: Mapping[str, float] | None) -> dict[str, Any]:
    beyond = seen.value is not None and policy.limit is not None and seen.value > policy.limit
    fired = seen.fired if seen.fired is not None else beyond
    return {
        "policy": name,
        "says": WORDS[name],
        "naive": name.startswith("naive_"),
        "counts": policy.counts,
        "fired": bool(fired),
        "value": seen.value,
        "limit": policy.limit,
        "false_alarm_rate": known["rate"] if known else None,
        "false_alarm_low": known["low"] if known else None,
        "false_alarm_high": known["high"] if known else None,
        "false_alarm_rows": known["rows"] if known else None,
        "reason": seen.reason,
    }
