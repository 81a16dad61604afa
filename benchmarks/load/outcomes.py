"""Summarise the outcomes of requests: rates, status codes and latency quantiles."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
MILLISECONDS = 1000


@dataclass(frozen=True)
class Outcome:
    """One request: when it was due, sent and done, in seconds from the start."""

    due: float
    sent: float
    done: float
    answer: str
    """The status code as text, or the name of the error."""

    @property
    def answered(self) -> bool:
        """Whether the status is 2xx."""
        return self.answer.startswith("2")


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed.

    >>> quantile([4, 1, 3, 2], 0.5), quantile([4, 1, 3, 2], 0.99)
    (2, 4)
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def summary(outcomes: Sequence[Outcome], *, seconds: float) -> dict[str, Any]:
    """Return rates and latencies; these in milliseconds, of the requests that were answered with 2xx.

    `latency` counts from when a request was due, so it includes the wait for a connection. `service` counts from when
    it was sent. `late` is the client's own delay: if it is large, this machine was the limit.
    """
    good = [outcome for outcome in outcomes if outcome.answered]
    until = max((outcome.done for outcome in outcomes), default=0.0) - min((each.due for each in outcomes), default=0.0)
    return {
        "requests": len(outcomes),
        "due_per_second": _rounded(len(outcomes) / seconds),
        "answered_per_second": _rounded(len(good) / max(seconds, until)),
        "failed": len(outcomes) - len(good),
        "answers": dict(sorted(Counter(outcome.answer for outcome in outcomes).items())),
        "latency": _quantiles([outcome.done - outcome.due for outcome in good]),
        "service": _quantiles([outcome.done - outcome.sent for outcome in good]),
        "late": _quantiles([outcome.sent - outcome.due for outcome in outcomes]),
    }


def to_text(found: dict[str, Any]) -> str:
    """Return a summary as a text table."""
    lines = [f"{name.replace('_', ' '):20} {found[name]}" for name in ("requests", "due_per_second", "failed")]
    lines.insert(2, f"{'answered per second':20} {found['answered_per_second']}")
    lines += [f"  {answer:18} {times}" for answer, times in found["answers"].items()]
    lines.append(f"{'milliseconds':20} " + " ".join(f"{name:>9}" for name in SHARES))
    for name in ("latency", "service", "late"):
        lines.append(f"  {name:18} " + " ".join(f"{found[name].get(share, '-'):>9}" for share in SHARES))
    return "\n".join(lines)


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    return {name: _rounded(quantile(values, share) * MILLISECONDS) for name, share in SHARES.items()} if values else {}


def _rounded(value: float) -> float:
    return round(value, 3)
