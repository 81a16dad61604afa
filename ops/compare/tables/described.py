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


def described(table: str, base: Snapshot, head: Snapshot) -> Described:
    """Return what the tasks say about a table; a table that they do not describe has no key, and shows no value."""
    old, new = (_table(snapshot, table) for snapshot in (base, head))
    columns = _columns(new)
    return Described(
        key=tuple(map(str, new.get("key") or ())),
        types={name: str(column.get("type", "")) for name, column in columns.items()},
        private=frozenset(
            name for side in (_columns(old), columns) for name, column in side.items() if column.get("private", False)
        ),
        contract=changes(old, new),
    )


def _table(snapshot: Snapshot, table: str) -> dict[str, Any]:
    task = snapshot.task(str((snapshot.yaml("params.yaml") or {}).get("task", "")))
    return dict((task.get("tables") or {}).get(table) or {})


def _columns(table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(name): dict(column or {}) for name, column in (table.get("columns") or {}).items()}
