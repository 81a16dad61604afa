"""Judge how many rows of a raw table changed or were removed."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from lab.core.params import Params, parse
from ops.compare.tables.table_change import TableChange
from ops.revisions.snapshot import Snapshot

Verdict = Literal["passed", "failed", "not judged"]


class CompareParams(Params):
    """The section `compare` of params.yaml."""

    most_rows_changed: float = Field(ge=0, le=1)


@dataclass(frozen=True)
class RowGate:
    """The largest share of a table's rows that may change or be removed; None where nothing is judged, for a reason."""

    most_rows_changed: float | None
    reason: str

    def verdict(self, change: TableChange) -> Verdict:
        """Return the verdict on one table."""
        if self.most_rows_changed is None:
            return "not judged"
        return "failed" if change.share > self.most_rows_changed else "passed"


def row_gate(base: Snapshot, head: Snapshot) -> RowGate:
    """Return the gate by the head's settings; another task has other tables, and an older revision may have no gate."""
    old, new = (snapshot.yaml("params.yaml") or {} for snapshot in (base, head))
    if old.get("task") != new.get("task"):
        return RowGate(None, "the task is another one")
    if "compare" not in new:
        return RowGate(None, "params.yaml has no section `compare`")
    where = f"params.yaml at {head.name}: compare"
    found = parse(new["compare"], kind=CompareParams, where=where, cure="Correct it.")
    return RowGate(found.most_rows_changed, "")
