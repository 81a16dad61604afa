"""What differs in the data of two revisions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.core.errors import LabError
from ops.compare.changes import Change, changes
from ops.compare.predicted import SCHEMA, Store, briefly, unavailable
from ops.compare.tables.described import Tasks, tasks_of
from ops.compare.tables.row_gate import RowGate, row_gate
from ops.compare.tables.table_change import TableChange
from ops.revisions.files import ChangedFile, changed_files

KEPT = ("data/source", "data/raw", "data/prepared", "data/features")
TABLES = ("data/raw", "data/prepared", "data/features")
RAW = "data/raw/"


@dataclass(frozen=True)
class DataChange:
    """What differs: fingerprints of folders and files, the facts of ingest, prepare and featurize, the feature columns.

    `raw` is what differs in each raw table, `unknown` says why that could not be found, by table; `gate` judges it.
    `notes` say what else could not be read, and why.
    """

    fingerprints: tuple[ChangedFile, ...]
    tables: tuple[ChangedFile, ...]
    facts: tuple[Change, ...]
    schema: tuple[Change, ...]
    raw: tuple[TableChange, ...]
    unknown: Mapping[str, str]
    gate: RowGate
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Say whether every fingerprint is equal."""
        return not self.fingerprints

    @property
    def beyond(self) -> tuple[TableChange, ...]:
        """The raw tables of which more rows changed or were removed than the gate permits."""
        return tuple(each for each in self.raw if self.gate.verdict(each) == "failed")


def data_change(base: Store, head: Store) -> DataChange:
    """Return what differs; the listings of changed folders, the schema and changed raw tables are fetched."""
    old, new = (_fingerprints(store) for store in (base, head))
    notes: list[str] = []
    moved = changed_files(old, new)
    tables = [each for folder in moved if folder.path in TABLES for each in _tables(folder.path, base, head, notes)]
    schema = _schema(base, head, notes) if any(each.path == "data/features" for each in moved) else ()
    tasks = tasks_of(base.snapshot, head.snapshot)
    facts = tuple(
        each
        for stage in ("ingest", "prepare", "featurize")
        for each in changes(*(_facts(store, stage, tasks) for store in (base, head)), name=stage)
    )
    raw, unknown = _raw([each for each in tables if each.path.startswith(RAW)], base, head, tasks)
    if any(each.path == "data/raw" for each in moved) and not raw and not unknown:
        unknown = {"every table": "the list of the files is missing"}
    return DataChange(
        moved,
        tuple(tables),
        facts,
        schema,
        raw,
        unknown,
        row_gate(base.snapshot, head.snapshot),
        tuple(dict.fromkeys(notes)),
    )


def _raw(
    files: Sequence[ChangedFile], base: Store, head: Store, tasks: Tasks
) -> tuple[tuple[TableChange, ...], Mapping[str, str]]:
    if not files:
        return (), {}
    from ops.compare.tables.tables import table_changes  # noqa: PLC0415 - DuckDB is heavy, and raw data rarely differs

    return table_changes(files, base, head, tasks)


def _fingerprints(store: Store) -> dict[str, str]:
    return {
        path: item.md5
        for stage in store.stages.values()
        for path, item in {**stage.dependencies, **stage.outputs}.items()
        if path in KEPT or path.startswith("data/source/")
    }


def _tables(folder: str, base: Store, head: Store, notes: list[str]) -> tuple[ChangedFile, ...]:
    try:
        old, new = (_listing(store, folder) for store in (base, head))
    except LabError as error:
        notes.append(f"which files of {folder} differ is unknown: {briefly(error)}")
        return ()
    return changed_files(old, new)


def _listing(store: Store, folder: str) -> dict[str, str]:
    try:
        content = json.loads(store.listing(folder))
    except LabError as error:
        raise unavailable(error, store, output=folder) from error
    return {f"{folder}/{entry['relpath']}": str(entry["md5"]) for entry in content}


def _schema(base: Store, head: Store, notes: list[str]) -> tuple[Change, ...]:
    try:
        old, new = (json.loads(store.content(SCHEMA)) for store in (base, head))
    except LabError as error:
        notes.append(f"whether the feature columns differ is unknown: {briefly(error)}")
        return ()
    return changes(old, new)


def _facts(store: Store, stage: str, tasks: Tasks) -> Mapping[str, Any]:
    """Return what a stage says of its tables, without the first and last value of columns that are not shown."""
    found = store.snapshot.result(f"metrics/{stage}.json") or {}
    kept = {name: value for name, value in found.items() if name != "quality"}
    if stage != "ingest":
        return kept
    tables = {}
    for name, table in kept.get("tables", {}).items():
        period = {column: ends for column, ends in table.get("period", {}).items() if tasks.table(name).shows(column)}
        tables[name] = {**table, "period": period}
    return {**kept, "tables": tables}
