"""DuckDB with access to given folders only, UTC, and bounded memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lab.core.errors import SourceError
from lab.core.tables import ROWS_PER_GROUP, write_batches

MEMORY_LIMIT = "3GB"
THREADS = 0  # all processors; results do not depend on the number


@contextmanager
def connected(tables: Mapping[str, Path], *, scratch: Path, numbered: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with the Parquet files as views and no other access.

    Numbered views have a column `file_row_number`. Data that does not fit into memory is written below `scratch`, which
    the caller removes.
    """
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY_LIMIT,
        }
    )
    if THREADS:
        connection.execute(f"set threads = {THREADS}")
    try:
        _restrict_access(connection, folders={path.parent for path in tables.values()}, scratch=scratch)
        for name, path in tables.items():
            _create_view(connection, name, path, numbered=numbered)
        yield connection
    finally:
        connection.close()


def quoted(name: str) -> str:
    """Return a column or table name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(value: str) -> str:
    """Return text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def columns_of(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    """Return the columns of a query and their types in the engine, in order."""
    rows = connection.execute(f"describe {query}").fetchall()
    return {name: kind for name, kind, *_ in rows if name != "file_row_number"}


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Return the single row of an aggregate query."""
    ((*row,),) = connection.execute(query).fetchall()
    return tuple(row)


def write_query(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write the rows of a query as Parquet in the query's order; return the number of rows."""
    reader = connection.sql(query).to_arrow_reader(ROWS_PER_GROUP)
    return write_batches((pa.Table.from_batches([batch]) for batch in reader), reader.schema, path)


def _create_view(connection: duckdb.DuckDBPyConnection, name: str, path: Path, *, numbered: bool) -> None:
    source = f"read_parquet({text_literal(str(path))}, file_row_number = {numbered})"
    try:
        connection.execute(f"create view {quoted(name)} as select * from {source}")
    except duckdb.Error as error:
        raise SourceError(
            f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}. "
            "Cure: `dvc checkout --force` restores it, `dvc repro --force` computes it again."
        ) from error


def _restrict_access(connection: duckdb.DuckDBPyConnection, *, folders: set[Path], scratch: Path) -> None:
    allowed = ", ".join(text_literal(str(folder)) for folder in sorted(folders))
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set temp_directory = {text_literal(str(scratch))}")
    connection.execute(f"set allowed_directories = [{allowed}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
