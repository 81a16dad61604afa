"""Read a task's tables from a database by its queries, batch by batch."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from lab.core.errors import SourceError
from lab.dataset.source import SqlSource
from lab.engine.time_limit import time_limit
from lab.ingest.columns import SourceTable, as_plain, plain_schema, refuse_bad_names, refuse_no_rows
from lab.ingest.files import path_below
from lab.ingest.spool import spool_rows

ROWS_PER_BATCH = 65_536
DUCKDB = "duckdb:///"
EXAMPLE = "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE or duckdb:///FILE"
SLOW = (
    "a query of the database in {} ran longer than {:g} minutes and was stopped. "
    "Cure: make it read fewer rows, or raise source.minutes in the task file."
)
Limit = Callable[..., AbstractContextManager[None]]
COMMENT_OR_TEXT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
PASSWORDS = (
    re.compile(r"://[^/@:]*:([^@]+)@"),
    re.compile(r"://[^/@:]*:(.+)@"),
    re.compile(r"password=([^&]+)", re.IGNORECASE),
)


def read_sql(source: SqlSource, *, folder: Path) -> Iterator[SourceTable]:
    """Yield each table's name, schema and batches, in the order of the task file; transactions are never committed.

    Decimals stay decimals, timestamps with a time zone become UTC, NaN becomes null, unsupported types become text. A
    query must order its rows by a unique key, so that the same rows give the same bytes. DVC does not notice a change
    in a database: `dvc repro --force ingest` runs the queries again.
    """
    queries = {name: _query_in(path_below(folder, table.query)) for name, table in source.tables.items()}
    url = os.environ.get(source.url_variable, "").strip()
    if not url:
        raise SourceError(
            f"the environment variable {source.url_variable} is not set, expected an SQLAlchemy URL such as {EXAMPLE}. "
            f"Cure: export {source.url_variable}=… in the shell, never in a file that git sees."
        )
    read = _read_duckdb if url.startswith(DUCKDB) else _read_sqlalchemy
    limit = partial(time_limit, source.minutes, message=SLOW.format(source.url_variable, source.minutes))
    yield from read(url, queries, variable=source.url_variable, limit=limit)


def without_password(message: str, *, url: str) -> str:
    """Return a message on one line, with the URL's password masked, both encoded and decoded."""
    secrets = {found for pattern in PASSWORDS for found in pattern.findall(url)}
    for secret in sorted(secrets | {unquote(secret) for secret in secrets}, key=len, reverse=True):
        message = message.replace(secret, "***")
    return " ".join(message.split())


def _query_in(path: Path) -> str:
    query = path.read_text(encoding="utf-8").strip().rstrip(";")
    if not re.search(r"\border\s+by\b", COMMENT_OR_TEXT.sub(" ", query), re.IGNORECASE):
        raise SourceError(
            f"{path} holds no query with `order by`, expected one: without it the order of rows is undefined. "
            "Cure: order by a unique key."
        )
    return query


def _read_duckdb(url: str, queries: Mapping[str, str], *, variable: str, limit: Limit) -> Iterator[SourceTable]:
    import duckdb  # noqa: PLC0415 - other databases do not need it

    path = Path(url.removeprefix(DUCKDB))
    _refuse_absent(path, variable=variable)
    settings: dict[str, Any] = {"autoinstall_known_extensions": "false", "TimeZone": "UTC"}
    with (
        _database_errors(duckdb.Error, url, variable),
        closing(duckdb.connect(path, read_only=True, config=settings)) as database,
    ):
        for name, query in queries.items():
            where = f"the query of {name}"
            with limit(stop=database.interrupt):
                found = database.sql(query)
                reader = (found or database.sql("select 1 where false")).to_arrow_reader(ROWS_PER_BATCH)
            refuse_bad_names(reader.schema.names, where=where)
            schema = plain_schema(reader.schema, where=where)
            batches = (as_plain(pa.Table.from_batches([batch]), schema, where=where) for batch in reader)
            checked = _checked_batches(batches, duckdb.Error, url, variable, limit(stop=database.interrupt))
            yield name, schema, refuse_no_rows(checked, where=where)


def _read_sqlalchemy(url: str, queries: Mapping[str, str], *, variable: str, limit: Limit) -> Iterator[SourceTable]:
    engine = _engine(url, variable=variable)
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - an optional dependency

    settings = {"no_parameters": True, "stream_results": True, "yield_per": ROWS_PER_BATCH}
    with _database_errors(SQLAlchemyError, url, variable), engine.connect() as connection:
        for name, query in queries.items():
            where = f"the query of {name}"
            with (
                limit(stop=partial(_cancel, connection)),
                closing(connection.exec_driver_sql(query, execution_options=settings)) as result,
                TemporaryDirectory(prefix="rows-") as scratch,
            ):
                names = list(result.keys()) if result.returns_rows else []
                refuse_bad_names(names, where=where)
                schema, batches = spool_rows(result.partitions() if names else [], names, scratch=Path(scratch))
                yield name, schema, refuse_no_rows(batches, where=where)


def _cancel(connection: Any) -> None:
    """Cancel the running query, where the driver can: sqlite3 and DuckDB name it interrupt, psycopg cancel."""
    driver = connection.connection.dbapi_connection
    cancel = getattr(driver, "interrupt", None) or getattr(driver, "cancel", None)
    if cancel is not None:
        cancel()


def _engine(url: str, *, variable: str) -> Any:
    try:
        import sqlalchemy  # noqa: PLC0415 - an optional dependency
    except ImportError:
        raise SourceError(
            f"SQLAlchemy is not installed, expected it for the database in {variable}. Cure: .venv/bin/pip install "
            "sqlalchemy, and the driver of the database, such as 'psycopg[binary]'."
        ) from None
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, ValueError) as error:
        raise SourceError(
            f"the URL in {variable} cannot be used: {without_password(str(error), url=url)}. Expected one such as "
            f"{EXAMPLE}. Cure: correct it, or install its driver."
        ) from None
    if engine.url.get_backend_name() == "sqlite" and engine.url.database not in {None, "", ":memory:"}:
        _refuse_absent(Path(engine.url.database), variable=variable)
    return engine


def _refuse_absent(path: Path, *, variable: str) -> None:
    if not path.is_file():
        raise SourceError(f"the database {path} is missing, expected a file. Cure: correct the URL in {variable}.")


@contextmanager
def _database_errors(kind: type[Exception], url: str, variable: str) -> Iterator[None]:
    """Convert errors of the database to a SourceError, without the query that SQLAlchemy appends."""
    try:
        yield
    except kind as error:
        said = without_password(str(getattr(error, "orig", None) or error), url=url)
        raise SourceError(
            f"the database in {variable} refused: {said}. Cure: correct the URL or the query file."
        ) from None


def _checked_batches(
    batches: Iterator[pa.Table], kind: type[Exception], url: str, variable: str, limit: AbstractContextManager[None]
) -> Iterator[pa.Table]:
    with limit, _database_errors(kind, url, variable):
        yield from batches
