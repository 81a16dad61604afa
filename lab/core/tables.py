"""Read and write Parquet tables; equal rows give equal bytes."""

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
    """Write a table as Parquet without schema metadata (such as the index of pandas)."""
    write_batches([table], table.schema, path)


def write_batches(batches: Iterable[pa.Table], schema: pa.Schema, path: Path) -> int:
    """Write tables of one schema to one file and return the row count; batch sizes do not change the bytes."""
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
    pending = pa.Table.from_batches([], schema=schema)  # schema.empty_table() would import pandas
    for batch in batches:
        pending = pa.concat_tables([pending, batch.replace_schema_metadata(None)])
        whole = pending.num_rows - pending.num_rows % ROWS_PER_GROUP
        for start in range(0, whole, ROWS_PER_GROUP):
            yield pending.slice(start, ROWS_PER_GROUP).combine_chunks()
        pending = pending.slice(whole)
    if pending.num_rows:
        yield pending.combine_chunks()


def read_table(path: Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=list(columns) if columns is not None else None, partitioning=None)
    except FileNotFoundError:
        raise SourceError(f"{path} is missing, expected a Parquet file. Cure: `dvc repro`, or `dvc pull`.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(
            f"{path} cannot be read as Parquet: {error}. "
            "Cure: `dvc checkout --force` restores it, `dvc repro --force` computes it again."
        ) from error


def tables_in(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.parquet"))}
