"""Read and write tables: one Parquet writer, so that equal rows are equal bytes."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import SourceError

ROWS_PER_GROUP = 65_536
COMPRESSION = "zstd"
COMPRESSION_LEVEL = 3


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet, atomically; schema metadata (pandas' index, for one) is left out."""
    write_batches([table], table.schema, path)


def write_batches(batches: Iterable[pa.Table], schema: pa.Schema, path: Path) -> int:
    """Write tables of one schema one after another and return their rows; how they were cut leaves no trace."""
    plain = schema.remove_metadata()
    rows = 0
    with (
        replaced_file(path) as partial,
        pq.ParquetWriter(partial, plain, compression=COMPRESSION, compression_level=COMPRESSION_LEVEL) as writer,
    ):
        for group in _even_groups(batches, plain):
            writer.write_table(group, row_group_size=ROWS_PER_GROUP)
            rows += group.num_rows
    return rows


def _even_groups(batches: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    waiting = pa.Table.from_batches([], schema=schema)  # schema.empty_table() would import pandas
    for batch in batches:
        waiting = pa.concat_tables([waiting, batch.replace_schema_metadata(None)])
        whole = waiting.num_rows - waiting.num_rows % ROWS_PER_GROUP
        for start in range(0, whole, ROWS_PER_GROUP):
            yield waiting.slice(start, ROWS_PER_GROUP).combine_chunks()
        waiting = waiting.slice(whole)
    if waiting.num_rows:
        yield waiting.combine_chunks()


def read_table(path: Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the table in a Parquet file."""
    try:
        return pq.read_table(path, columns=list(columns) if columns is not None else None, partitioning=None)
    except FileNotFoundError:
        raise SourceError(f"{path} is missing, expected a Parquet file. Cure: `dvc repro`, or `dvc pull`.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(
            f"{path} cannot be read as Parquet: {error}. "
            "Cure: `dvc checkout --force` brings it back, `dvc repro --force` derives it again."
        ) from error


def tables_in(folder: Path) -> dict[str, Path]:
    """Return the Parquet files of a folder by table name, sorted."""
    return {path.stem: path for path in sorted(folder.glob("*.parquet"))}
