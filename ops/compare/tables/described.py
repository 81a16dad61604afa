"""What the task files of two revisions say about a raw table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.compare.changes import Change, changes
from ops.revisions.snapshot import Snapshot


@dataclass(frozen=True)
class Described:
    """The key and the types of a table at the head; private is what either revision marks."""

    key: tuple[str, ...]
    types: Mapping[str, str]
    private: frozenset[str]
    contract: tuple[Change, ...]

    def shows(self, column: str) -> bool:
        """Say whether values of a column may be shown: the task describes it, and does not mark it private."""
        return column in self.types and column not in self.private


@dataclass(frozen=True)
class Tasks:
    """The tables of both tasks, which are read once."""

    base: Mapping[str, Any]
    head: Mapping[str, Any]

    def table(self, name: str) -> Described:
        """Return what they say about a table; one that they do not describe has no key, and shows no value."""
        return described(*(dict(tables.get(name) or {}) for tables in (self.base, self.head)))


def tasks_of(base: Snapshot, head: Snapshot) -> Tasks:
    """Return the tables that the selected tasks of two revisions describe."""
    names = (str((snapshot.yaml("params.yaml") or {}).get("task", "")) for snapshot in (base, head))
    old, new = (snapshot.task(name).get("tables") or {} for snapshot, name in zip((base, head), names, strict=True))
    return Tasks(old, new)


def described(old: Mapping[str, Any], new: Mapping[str, Any]) -> Described:
    """Return what two revisions of a task say about a table."""
    columns = _columns(new)
    return Described(
        key=tuple(map(str, new.get("key") or ())),
        types={name: str(column.get("type", "")) for name, column in columns.items()},
        private=frozenset(
            name for side in (_columns(old), columns) for name, column in side.items() if column.get("private", False)
        ),
        contract=changes(old, new),
    )


def _columns(table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(name): dict(column or {}) for name, column in (table.get("columns") or {}).items()}
