"""List the champions of a task: history of champion.yaml joined with the tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.pages.markdown import interval, readable_name, signed
from ops.registry.champion_changes import ChampionChange, champion_changes, line_of
from ops.registry.tags import Registry, Tag, read_registry, version_name
from ops.text_table import aligned

HEAD = ("champion since (UTC)", "version", "in", "replaced", "gain (95 % interval)", "why")
NOTHING = "–"


@dataclass(frozen=True)
class Period:
    """The time of one champion: its start, its version's tag, and the stages where it is now.

    `stages` is listed once, at the newest period of a version.
    """

    change: ChampionChange
    tag: Tag | None
    stages: tuple[str, ...]

    @property
    def how(self) -> str:
        if self.change.rolled_back:
            return "rolled back"
        return "first" if self.change.replaces is None else "promoted"


def periods_of(task: str, *, root: Path) -> list[Period]:
    """Return the periods of a task, newest first."""
    registry, listed = read_registry(task, root=root), set()
    periods = []
    for change in reversed(champion_changes(task, root=root, revision=line_of(root))):
        version = change.version
        stages = () if version in listed else tuple(registry.stages_of(version))
        listed.add(version)
        periods.append(Period(change, registry.versions.get(version), stages))
    return periods


def table_of(periods: Sequence[Period]) -> str:
    """Return the periods as a text table."""
    return aligned([HEAD, *map(_line, periods)])


def document_of(task: str, periods: Sequence[Period], registry: Registry) -> dict[str, Any]:
    """Return the periods and every change of a stage as JSON values."""
    stages = sorted({tag.stage for tag in registry.tags if tag.stage})
    return {
        "task": task,
        "champions": [_document(period) for period in periods],
        "stages": {
            stage: [
                {"tag": tag.name, "version": number, "when": _utc(tag.moment)}
                for tag, number in reversed(registry.assignments(stage))
            ]
            for stage in stages
        },
    }


def _line(period: Period) -> tuple[str, ...]:
    change = period.change
    registered = "" if period.tag else " (not registered)"
    return (
        f"{change.moment:%Y-%m-%d %H:%M}",
        f"{version_name(change.version)}{registered}",
        ", ".join(period.stages) or NOTHING,
        NOTHING if change.replaces is None else version_name(change.replaces),
        _gain(change.entry.get("gain")),
        f"rolled back: {_because(change)}" if change.rolled_back else _because(change),
    )


def _because(change: ChampionChange) -> str:
    first = "the first champion" if change.replaces is None else NOTHING
    return str(change.entry.get("because") or first)


def _gain(gain: Any) -> str:
    if not isinstance(gain, dict):
        return NOTHING
    return f"{readable_name(str(gain['metric']))} {signed(gain['value'])} ({interval(gain['low'], gain['high'])})"


def _document(period: Period) -> dict[str, Any]:
    change = period.change
    return {
        "version": change.version,
        "how": period.how,
        "since": _utc(change.moment),
        "commit": change.commit,
        "replaces": change.replaces,
        "gain": change.entry.get("gain"),
        "because": change.entry.get("because"),
        "estimator": change.entry.get("estimator"),
        "tag": period.tag.name if period.tag else None,
        "registered": _utc(period.tag.moment) if period.tag else None,
        "stages": list(period.stages),
    }


def _utc(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
