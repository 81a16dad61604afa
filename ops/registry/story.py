"""Who was champion when and why: champion.yaml's past beside the registry's tags, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.pages.markdown import interval, signed, spoken
from ops.registry.successions import Succession, line_of, successions
from ops.registry.tags import Registry, Tag, read_registry, version_name
from ops.text_table import aligned

HEAD = ("champion since (UTC)", "version", "in", "replaced", "gain (95 % interval)", "why")
NOTHING = "–"


@dataclass(frozen=True)
class Chapter:
    """One champion's time: how it began, and, for its version, when that was registered and where it is now.

    `stages` is told once, at the newest chapter of a version.
    """

    succession: Succession
    tag: Tag | None
    stages: tuple[str, ...]

    @property
    def how(self) -> str:
        if self.succession.rolled_back:
            return "rolled back"
        return "first" if self.succession.replaces is None else "promoted"


def story_of(task: str, *, root: Path) -> list[Chapter]:
    """Return the chapters of a task, newest first."""
    registry, told = read_registry(task, root=root), set()
    chapters = []
    for succession in reversed(successions(task, root=root, revision=line_of(root))):
        version = succession.version
        stages = () if version in told else tuple(registry.stages_of(version))
        told.add(version)
        chapters.append(Chapter(succession, registry.versions.get(version), stages))
    return chapters


def table_of(chapters: Sequence[Chapter]) -> str:
    """Return the chapters as a table for a person."""
    return aligned([HEAD, *map(_line, chapters)])


def document_of(task: str, chapters: Sequence[Chapter], registry: Registry) -> dict[str, Any]:
    """Return the chapters, and every move of a stage, as a document for a machine."""
    stages = sorted({tag.stage for tag in registry.tags if tag.stage})
    return {
        "task": task,
        "champions": [_document(chapter) for chapter in chapters],
        "stages": {
            stage: [
                {"tag": tag.name, "version": number, "when": _utc(tag.moment)}
                for tag, number in reversed(registry.assignments(stage))
            ]
            for stage in stages
        },
    }


def _line(chapter: Chapter) -> tuple[str, ...]:
    succession = chapter.succession
    registered = "" if chapter.tag else " (not registered)"
    return (
        f"{succession.moment:%Y-%m-%d %H:%M}",
        f"{version_name(succession.version)}{registered}",
        ", ".join(chapter.stages) or NOTHING,
        NOTHING if succession.replaces is None else version_name(succession.replaces),
        _gain(succession.entry.get("gain")),
        f"rolled back: {_because(succession)}" if succession.rolled_back else _because(succession),
    )


def _because(succession: Succession) -> str:
    first = "the first champion" if succession.replaces is None else NOTHING
    return str(succession.entry.get("because") or first)


def _gain(gain: Any) -> str:
    if not isinstance(gain, dict):
        return NOTHING
    return f"{spoken(str(gain['metric']))} {signed(gain['value'])} ({interval(gain['low'], gain['high'])})"


def _document(chapter: Chapter) -> dict[str, Any]:
    succession = chapter.succession
    return {
        "version": succession.version,
        "how": chapter.how,
        "since": _utc(succession.moment),
        "commit": succession.commit,
        "replaces": succession.replaces,
        "gain": succession.entry.get("gain"),
        "because": succession.entry.get("because"),
        "estimator": succession.entry.get("estimator"),
        "tag": chapter.tag.name if chapter.tag else None,
        "registered": _utc(chapter.tag.moment) if chapter.tag else None,
        "stages": list(chapter.stages),
    }


def _utc(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
