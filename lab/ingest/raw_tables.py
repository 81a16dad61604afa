"""Write raw tables to Parquet, and describe their rows, columns and date ranges."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lab.core.tables import tables_in, write_batches
from lab.ingest.columns import SourceTable


def write_tables(tables: Iterable[SourceTable], *, into: Path) -> None:
    """Write each table to `NAME.parquet`, batch by batch."""
    for name, schema, batches in tables:
        write_batches(batches, schema, into / f"{name}.parquet")


def describe_tables(folder: Path) -> dict[str, dict[str, Any]]:
    """Return rows, columns and date ranges of each Parquet file of a folder, from its footer."""
    return {name: _describe(pq.read_metadata(path)) for name, path in tables_in(folder).items()}


def _describe(metadata: pq.FileMetaData) -> dict[str, Any]:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = [
        (metadata.schema.column(number).path, [group.column(number).statistics for group in groups])
        for number in range(metadata.num_columns)
    ]
    periods = {name: period for name, statistics in columns if (period := _period(statistics))}
    return {"rows": metadata.num_rows, "columns": metadata.num_columns, "period": periods}


def _period(statistics: list[pq.Statistics | None]) -> dict[str, str] | None:
    """Return the first and last date of a column, or None for other types."""
    known = [found for found in statistics if found is not None and found.has_min_max]
    if not known or not isinstance(known[0].min, date):
        return None
    return {
        "first": min(found.min for found in known).isoformat(),
        "last": max(found.max for found in known).isoformat(),
    }
