"""Tables from real databases keep their types, and no message contains the password."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from lab.core.errors import SourceError
from lab.core.tables import write_batches
from lab.dataset.source import SqlSource
from lab.engine.time_limit import time_limit
from lab.ingest import sql
from lab.ingest.spool import column_of, widest
from lab.ingest.sql import read_sql, without_password
from tests.lab.ingest.postgres import PASSWORD, running_server, server_programs

pytestmark = pytest.mark.slow

VARIABLE = "LAB_TEST_DATABASE"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    programs = server_programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are neither on the PATH nor in /usr/lib/postgresql")
    with running_server(programs) as url:
        yield url


def read(folder: Path, monkeypatch: pytest.MonkeyPatch, *, url: str, query: str) -> pa.Table:
    """Read one query from a database."""
    monkeypatch.setenv(VARIABLE, url)
    (folder / "rows.sql").write_text(query)
    return next(everything(folder, "rows"))


def everything(folder: Path, *names: str) -> Iterator[pa.Table]:
    for _, schema, batches in read_sql(source_of(*names), folder=folder):
        yield pa.concat_tables([schema.empty_table(), *batches])


def source_of(*names: str) -> SqlSource:
    tables = {name: {"query": f"{name}.sql"} for name in names}
    return SqlSource.model_validate({"kind": "sql", "url_variable": VARIABLE, "tables": tables})


def sqlite_file(path: Path, *statements: str) -> str:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def duckdb_file(path: Path, *statements: str) -> str:
    with duckdb.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    return f"duckdb:///{path}"


TYPED = """
    select 1 as id, cast(12.30 as decimal(10, 2)) as price, cast('2024-05-01 12:00:00+02' as timestamptz) as moment,
           cast('2024-05-01 12:00:00' as timestamp) as wall, cast('2024-05-01' as date) as day, true as flag,
           'Köln 100 %' as city, cast(0.5 as double precision) as share, cast(null as integer) as nothing
    union all
    select 2, null, null, null, null, null, null, null, null
    order by id
"""
TYPES = {
    "price": pa.decimal128(10, 2),
    "moment": pa.timestamp("us", tz="UTC"),
    "wall": pa.timestamp("us"),
    "day": pa.date32(),
    "flag": pa.bool_(),
    "city": pa.string(),
    "share": pa.float64(),
}
VALUES = {
    "price": Decimal("12.30"),
    "moment": datetime(2024, 5, 1, 10, tzinfo=UTC),
    "wall": datetime(2024, 5, 1, 12),  # noqa: DTZ001 - a wall clock has no zone
    "day": date(2024, 5, 1),
    "flag": True,
    "city": "Köln 100 %",
    "share": 0.5,
}


def assert_types_survive(table: pa.Table) -> None:
    for name, kind in TYPES.items():
        found = table.schema.field(name).type
        assert pa.types.is_decimal128(found) and found.scale == 2 if name == "price" else found == kind, name
        assert table[name].to_pylist() == [VALUES[name], None], name
    assert table["nothing"].to_pylist() == [None, None]


def test_types_of_duckdb_survive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = duckdb_file(folder / "data.duckdb", "create table t (a integer)")
    assert_types_survive(read(folder, monkeypatch, url=url, query=TYPED))


def test_duckdb_uses_utc_as_session_time_zone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = duckdb_file(folder / "data.duckdb", "create table t (a integer)")
    query = "select cast(timestamptz '2024-05-01 12:00:00+02' as timestamp) as wall order by 1"
    table = read(folder, monkeypatch, url=url, query=query)
    assert table["wall"].to_pylist() == [datetime(2024, 5, 1, 10)]  # noqa: DTZ001 - a wall clock has no zone


def test_types_of_postgresql_survive(postgres: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_types_survive(read(folder, monkeypatch, url=postgres, query=TYPED))


def test_types_of_sqlite_survive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = sqlite_file(
        folder / "data.sqlite",
        "create table t (id integer, share real, city text, void text)",
        "insert into t values (2, null, null, null), (1, 0.5, 'Köln', null)",
    )
    table = read(folder, monkeypatch, url=url, query="select * from t order by id")
    assert table.schema.types == [pa.int64(), pa.float64(), pa.string(), pa.string()]
    assert table.to_pydict() == {"id": [1, 2], "share": [0.5, None], "city": ["Köln", None], "void": [None, None]}


def test_a_percent_sign_and_a_colon_are_no_parameters(
    postgres: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "select 'a :b %s' as text, 7 % 4 as rest, '5'::integer as five where 'abc' like '%b%' order by 1;"
    table = read(folder, monkeypatch, url=postgres, query=query)
    assert table.to_pydict() == {"text": ["a :b %s"], "rest": [3], "five": [5]}


def test_unsupported_types_become_text(postgres: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = """
        select '{"b": 1, "a": "ä"}'::jsonb as document, '00000000-0000-0000-0000-00000000000a'::uuid as name,
               time '10:30' as hour, 'NaN'::numeric as number, '\\xff00'::bytea as bytes, array[1, 2] as list
        order by 2
    """
    table = read(folder, monkeypatch, url=postgres, query=query)
    assert table.to_pylist() == [
        {
            "document": '{"a": "ä", "b": 1}',
            "name": "00000000-0000-0000-0000-00000000000a",
            "hour": "10:30:00",
            "number": None,
            "bytes": "ff00",
            "list": "[1, 2]",
        }
    ]


def test_a_first_batch_of_nulls_does_not_settle_the_type(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "ROWS_PER_BATCH", 2)
    url = sqlite_file(
        folder / "data.sqlite",
        "create table t (id integer, late real, mixed)",
        "insert into t values (1, null, null), (2, null, 1), (3, 1.5, 2), (4, null, 'x'), (5, 2, 2.5)",
    )
    table = read(folder, monkeypatch, url=url, query="select * from t order by id")
    assert table["late"].to_pylist() == [None, None, 1.5, None, 2.0]
    assert table["mixed"].to_pylist() == [None, "1", "2", "x", "2.5"]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (set(), pa.string()),
        ({pa.null()}, pa.string()),
        ({pa.null(), pa.int64()}, pa.int64()),
        ({pa.int64(), pa.float64()}, pa.float64()),
        ({pa.int64(), pa.decimal128(5, 2)}, pa.decimal128(38, 2)),
        ({pa.decimal128(5, 2), pa.decimal128(9, 4)}, pa.decimal128(38, 4)),
        ({pa.decimal128(5, 2), pa.float64()}, pa.float64()),
        ({pa.int64(), pa.string()}, pa.string()),
        ({pa.bool_(), pa.int64()}, pa.string()),
    ],
)
def test_the_widest_type_holds_every_batch(kinds: set[pa.DataType], expected: pa.DataType) -> None:
    assert widest(kinds) == expected


def test_integers_beyond_64_bits_become_text() -> None:
    assert column_of([2**70, None]).to_pylist() == [str(2**70), None]


def test_several_queries_give_several_tables_in_the_order_of_the_task(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, duckdb_file(folder / "data.duckdb", "create table t as select 7 as a"))
    (folder / "second.sql").write_text("select a from t order by a")
    (folder / "first.sql").write_text("-- a comment; it ends\nselect a + 1 as b from t order by b;\n")
    assert [table.to_pydict() for table in everything(folder, "second", "first")] == [{"a": [7]}, {"b": [8]}]


@pytest.mark.parametrize("kind", ["duckdb", "sqlite", "postgres"])
def test_the_same_rows_are_the_same_bytes(
    kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    statements = ("create table t (a integer, b text)", "insert into t values (2, 'y'), (1, 'x'), (3, null)")
    query = "select a, b from t order by a"
    if kind == "postgres":
        url = request.getfixturevalue("postgres")
        query = "select a, b from (values (2, 'y'), (1, 'x'), (3, null)) as t (a, b) order by a"
    else:
        url = {"duckdb": duckdb_file, "sqlite": sqlite_file}[kind](folder / "data", *statements)
    monkeypatch.setenv(VARIABLE, url)
    (folder / "rows.sql").write_text(query)
    for run in ("first", "second"):
        for _, schema, batches in read_sql(source_of("rows"), folder=folder):
            write_batches(batches, schema, folder / f"{run}.parquet")
    assert (folder / "first.parquet").read_bytes() == (folder / "second.parquet").read_bytes()


def test_a_database_is_never_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = sqlite_file(folder / "data.sqlite", "create table t (a integer)", "insert into t values (1)")
    with pytest.raises(SourceError, match="found 0 rows"):
        read(folder, monkeypatch, url=url, query="delete from t where a in (select a from t order by a)")
    assert sqlite3.connect(folder / "data.sqlite").execute("select count(*) from t").fetchall() == [(1,)]


@pytest.mark.parametrize("make", [sqlite_file, duckdb_file])
def test_a_query_without_rows_is_refused(make: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make(folder / "data", "create table t (a integer)")
    with pytest.raises(SourceError, match="the query of rows: found 0 rows, expected at least one"):
        read(folder, monkeypatch, url=url, query="select a from t order by a")


@pytest.mark.parametrize("make", [sqlite_file, duckdb_file])
def test_a_failed_query_gives_a_message_on_one_line(make: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make(folder / "data", "create table t (a integer)")
    with pytest.raises(SourceError, match=rf"the database in {VARIABLE} refused: .*nowhere.* Cure: correct") as caught:
        read(folder, monkeypatch, url=url, query="select a from nowhere order by a")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "query", ["select 1 as a", "select 1 as a -- order by a", "select 'order by a' as a", "/* order\nby a */ select 1"]
)
def test_a_query_without_an_order_is_refused(query: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match=r"rows\.sql holds no query with `order by`"):
        read(folder, monkeypatch, url="duckdb:///x", query=query)


def test_two_columns_of_one_name_are_refused(postgres: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match=r"the query of rows has the column names \['a', 'a'\]"):
        read(folder, monkeypatch, url=postgres, query="select 1 as a, 2 as a order by 1")


def test_a_missing_variable_is_refused_with_its_cure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (folder / "rows.sql").write_text("select 1 as a order by a")
    with pytest.raises(SourceError, match=f"{VARIABLE} is not set, expected an SQLAlchemy URL .*Cure: export"):
        next(everything(folder, "rows"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "cannot be used: Could not parse SQLAlchemy URL"),
        ("strange://me:hunter2@host/db", "cannot be used: Can't load plugin.*Expected one such as postgresql"),
        ("postgresql+asyncpg://me:hunter2@host/db", "cannot be used: No module named 'asyncpg'"),
        ("postgresql+psycopg://me:hunter2@host:port/db", "cannot be used: "),
        ("sqlite:////nowhere/at/all.db", "the database /nowhere/at/all.db is missing"),
        ("duckdb:////nowhere/at/all.db", "the database /nowhere/at/all.db is missing"),
        ("postgresql+psycopg://me:hunter2@no-such-host.invalid/db", "refused: .*no-such-host"),
        ("postgresql+psycopg://me:hunter2@127.0.0.1:1/db", "refused: .*127.0.0.1"),
    ],
)
def test_an_invalid_url_is_refused_without_its_password(
    url: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(folder, monkeypatch, url=url, query="select 1 as a order by a")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_password_is_not_in_the_message(postgres: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = postgres.replace(":s3cret", ":Wr0ng")
    with pytest.raises(SourceError, match=r"refused: .*password authentication failed") as caught:
        read(folder, monkeypatch, url=wrong, query="select 1 as a order by a")
    assert "Wr0ng" not in str(caught.value)


def test_a_password_is_masked_encoded_and_decoded() -> None:
    url = "postgresql://me:p%40ss%2Fw@host/db?sslpassword=other"
    assert without_password(f"{url} and p@ss/w and other", url=url) == (
        "postgresql://me:***@host/db?sslpassword=*** and *** and ***"
    )
    assert PASSWORD not in without_password(PASSWORD, url=f"x://a:{PASSWORD}@host")


def test_missing_sqlalchemy_is_reported_with_its_cure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    with pytest.raises(SourceError, match=r"SQLAlchemy is not installed.*Cure: \.venv/bin/pip install"):
        read(folder, monkeypatch, url="mysql://me@host/db", query="select 1 as a order by a")


def test_many_rows_stream_from_postgresql(postgres: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "ROWS_PER_BATCH", 1000)
    table = read(folder, monkeypatch, url=postgres, query="select n from generate_series(1, 5500) as n order by n")
    assert table["n"].to_pylist() == list(range(1, 5501))


@pytest.mark.parametrize("make", [sqlite_file, duckdb_file])
def test_an_endless_query_is_stopped_with_its_field(make: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "time_limit", lambda _, **settings: time_limit(0.001, **settings))
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as c from n order by 1"
    url = make(folder.parent / "shop.db", "create table rows (id integer)")
    with pytest.raises(SourceError, match=r"longer than 60 minutes .* raise source\.minutes in the task file"):
        read(folder, monkeypatch, url=url, query=endless)
