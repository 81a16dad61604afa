"""SQL that finds the orphans of a reference: values that the referenced table lacks."""

from collections.abc import Mapping
from dataclasses import replace

from lab.prepare.cleaning import kept_rows_sql
from lab.prepare.contract import Reading


def with_references(readings: Mapping[str, Reading]) -> list[Reading]:
    """Return the readings with the SQL of their orphans.

    A row that is dropped from the referenced table is not there, so that the prepared tables agree.
    """
    return [_with_orphans(reading, readings) for reading in readings.values()]


def _with_orphans(reading: Reading, readings: Mapping[str, Reading], *, only: str | None = None) -> Reading:
    orphans = {
        label: f"t{i} is not null and t{i} not in ({_kept_keys(readings[column.references], readings)})"
        for i, (label, column) in enumerate(reading.table.columns.items())
        if column.references is not None and only in {None, column.on_violation}
    }
    return replace(reading, orphans=orphans)


def _kept_keys(other: Reading, readings: Mapping[str, Reading]) -> str:
    """Return the SQL of the keys that stay; only references that drop rows matter, and those have no cycle."""
    kept = _with_orphans(other, readings, only="drop_row")
    key = f"t{list(other.table.columns).index(other.table.key[0])}"
    return f"select {key} from {kept_rows_sql(kept)} and {key} is not null"
