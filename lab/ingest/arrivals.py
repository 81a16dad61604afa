"""Take tables over as they come, and say what has come: rows, columns, and the period of each date."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lab.core.tables import tables_in, write_batches

Arrival = tuple[str, pa.Schema, Iterable[pa.Table]]


def write_arrivals(arrivals: Iterable[Arrival], *, into: Path) -> None:
    """Write each table to a Parquet file of its name, piece by piece."""
    for name, schema, batches in arrivals:
        write_batches(batches, schema, into / f"{name}.parquet")


def describe_tables(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what each Parquet file of a folder holds, from its footer: the rows themselves are not read."""
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
    """Return a column's first and last date, where it holds dates."""
    known = [found for found in statistics if found is not None and found.has_min_max]
    if not known or not isinstance(known[0].min, date):
        return None
    return {
        "first": min(found.min for found in known).isoformat(),
        "last": max(found.max for found in known).isoformat(),
    }
