"""Compare the raw tables of two revisions, one at a time."""

import io
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lab.core.errors import LabError, SourceError
from ops.compare.predicted import Store, briefly, unavailable
from ops.compare.tables.described import Described, Tasks
from ops.compare.tables.join import compare_tables
from ops.compare.tables.table_change import TableChange
from ops.revisions.files import ChangedFile


def table_changes(
    files: Iterable[ChangedFile], base: Store, head: Store, tasks: Tasks
) -> tuple[tuple[TableChange, ...], dict[str, str]]:
    """Return what differs in each file that differs; where that is unknown, the reason by the table's name."""
    found: list[TableChange] = []
    unknown: dict[str, str] = {}
    for file in files:
        name = PurePosixPath(file.path).stem
        try:
            found.append(_table_change(name, file, base, head, tasks.table(name)))
        except LabError as error:
            unknown[name] = briefly(error)
    return tuple(found), unknown


def _table_change(name: str, file: ChangedFile, base: Store, head: Store, described: Described) -> TableChange:
    if file.kind != "changed":
        rows = _row_count(file.path, base if file.kind == "removed" else head)
        old, new = (rows, 0) if file.kind == "removed" else (0, rows)
        return TableChange(name, file.kind, old, new, only_in_base=old, only_in_head=new)
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{side}.parquet" for side in ("base", "head")]
        for path, store in zip(paths, (base, head), strict=True):
            path.write_bytes(_content(file.path, store))
        try:
            return compare_tables(name, paths[0], paths[1], described, scratch=Path(folder) / "spill")
        except (duckdb.Error, SourceError) as error:
            raise SourceError(f"the two versions of {file.path} cannot be read as tables") from error


def _content(path: str, store: Store) -> bytes:
    try:
        return store.content(path)
    except LabError as error:
        raise unavailable(error, store, output="data/raw") from error


def _row_count(path: str, store: Store) -> int:
    content = _content(path, store)
    try:
        return int(pq.read_metadata(io.BytesIO(content)).num_rows)
    except pa.ArrowInvalid as error:
        raise SourceError(f"{path} at {store.snapshot.name} cannot be read as a table") from error
