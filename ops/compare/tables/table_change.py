"""What differs in one raw table of two revisions."""

from dataclasses import dataclass
from typing import Literal

from ops.compare.changes import Change, Kind

RowKind = Literal["changed", "only in base", "only in head"]


@dataclass(frozen=True)
class Example:
    """A changed cell: the row's key without private columns, the old and the new value as text, None where missing."""

    key: tuple[str, ...]
    old: str | None
    new: str | None


@dataclass(frozen=True)
class ColumnChange:
    """How many cells of a column changed in rows that both sides have; a private column has no examples."""

    name: str
    cells: int
    private: bool
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Concentration:
    """A level that is more frequent among these rows than among the unchanged ones; None is a missing value."""

    rows: RowKind
    column: str
    level: str | None
    share: float
    share_of_unchanged: float
    p_adjusted: float


@dataclass(frozen=True)
class TableChange:
    """The rows and columns of a table that differ, and the rules of the task that do.

    `matched_by` is the key, empty where rows could not be matched. `unmatched` says which rows could not be, and why:
    these are counted as equal or not equal in all columns, so that a changed one counts on both sides.
    """

    table: str
    kind: Kind
    base_rows: int
    head_rows: int
    matched_by: tuple[str, ...] = ()
    unmatched: str = ""
    changed: int = 0
    only_in_base: int = 0
    only_in_head: int = 0
    columns: tuple[ColumnChange, ...] = ()
    concentrations: tuple[Concentration, ...] = ()
    schema: tuple[Change, ...] = ()
    contract: tuple[Change, ...] = ()

    @property
    def share(self) -> float:
        """The share of the base's rows that changed or were removed; 1 where a table without rows is gone."""
        if self.kind != "changed":
            return 1.0 if self.kind == "removed" else 0.0
        return (self.changed + self.only_in_base) / self.base_rows if self.base_rows else 0.0
