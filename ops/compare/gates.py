"""How the gates' verdicts differ between two revisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdicts = Mapping[str, Any]
Course = Literal[
    "newly fails", "still fails", "fails", "within noise", "newly passes", "passes", "not judged", "removed"
]

LIMIT = ("rule", "threshold", "decides")


@dataclass(frozen=True)
class Gate:
    """A gate as one revision judged it; one that does not decide is informational."""

    verdict: str
    value: float | None
    low: float | None
    high: float | None
    rule: str
    threshold: float | None
    decides: bool
    reason: str


@dataclass(frozen=True)
class GateChange:
    """A gate in both revisions; `moved` says that its limit changed, or whether it decides."""

    gate: str
    course: Course
    moved: bool
    base: Gate | None
    head: Gate | None

    @property
    def decides(self) -> bool:
        """Say whether it decides at the head."""
        return self.head is not None and self.head.decides


def gate_changes(
    base: Verdicts | None, head: Verdicts | None, *, origin: Verdicts | None = None, other_task: bool = False
) -> tuple[GateChange, ...]:
    """Return every gate, those of the head in its order and then those that it no longer has.

    Limits that moved are those that moved since the `origin`, which is the base by default. Gates of another task are
    no gates to compare with.
    """
    if other_task:
        return tuple(_of_other_task(name, gate) for name, gate in gates_of(head).items())
    old, new = gates_of(base), gates_of(head)
    start = old if origin is None else gates_of(origin)
    names = [*new, *(name for name in old if name not in new)]
    return tuple(_change(name, old.get(name), new.get(name), start.get(name)) for name in names)


def gates_of(validate: Verdicts | None) -> dict[str, Gate]:
    """Return the gates of a metrics/validate.json by name, those that decide first."""
    found = validate or {}
    return {
        str(each["gate"]): Gate(
            verdict=str(each.get("verdict", "")),
            value=each.get("value"),
            low=each.get("low"),
            high=each.get("high"),
            rule=str(each.get("rule", "")),
            threshold=each.get("threshold"),
            decides=decides,
            reason=str(each.get("reason", "")),
        )
        for part, decides in (("gates", True), ("reported", False))
        for each in found.get(part, [])
    }


def _change(name: str, base: Gate | None, head: Gate | None, start: Gate | None) -> GateChange:
    moved = start is not None and (head is None or any(getattr(start, part) != getattr(head, part) for part in LIMIT))
    return GateChange(name, _course(base, head), moved, base, head)


def _of_other_task(name: str, head: Gate) -> GateChange:
    course: Course = "fails" if head.verdict == "failed" else _course(None, head)
    return GateChange(name, course, moved=False, base=None, head=head)


def _course(base: Gate | None, head: Gate | None) -> Course:
    if head is None:
        return "removed"
    failed = base is not None and base.verdict == "failed" and base.decides == head.decides
    if head.verdict == "failed":
        return "still fails" if failed else "newly fails"
    if head.verdict == "within noise":
        return "within noise"
    if head.verdict != "passed":
        return "not judged"
    return "newly passes" if failed else "passes"
