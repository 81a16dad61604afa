"""What each revision's metrics/abtest.json answers: on the same rows, and in traffic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """Challenger against champion of one revision; without a traffic experiment, `action` is empty and says why."""

    metric: str
    word: str
    difference: float | None
    low: float | None
    high: float | None
    action: str
    rule: str
    looked: str


def answer_of(abtest: Mapping[str, Any] | None) -> Answer | None:
    """Return both answers of a metrics/abtest.json."""
    if not abtest:
        return None
    offline, online = abtest.get("answer", {}), abtest.get("online", {})
    decision = online.get("decision", {})
    return Answer(
        metric=str(offline.get("metric", "")),
        word=str(offline.get("challenger", "")),
        difference=offline.get("difference"),
        low=offline.get("low"),
        high=offline.get("high"),
        action=str(decision.get("action", "")),
        rule=str(decision.get("rule", "") or online.get("reason", "")),
        looked=_looked(online.get("look", {})),
    )


def _looked(look: Mapping[str, Any]) -> str:
    return f"look {look['look']} of {look['looks']}" if {"look", "looks"} <= look.keys() else ""
