"""A query whose result depends on chance, the clock or the session is refused."""

from collections.abc import Iterator

import duckdb
import pytest

from lab.core.errors import ParamsError
from lab.engine.stability import refuse_unstable
from tests.own_tasks import own_task


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config={"autoload_known_extensions": "false"})
    connection.execute("create table rows as select 1 as id, timestamp '2025-01-01' as moment")
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("select random() as x from rows", "random"),
        ("select id, RANDOM () from rows", "random"),
        ("select now() - moment from rows", "now"),
        ("select date_diff('day', moment, current_date) from rows", "current_date"),
        ("select current_timestamp, localtimestamp from rows", "current_timestamp, localtimestamp"),
        ("select current_time from rows", "current_time"),
        ("select uuid() from rows", "uuid"),
        ("select gen_random_uuid() from rows", "gen_random_uuid"),
        ("select today() from rows", "today"),
        ("select age(moment) from rows", "age"),
        ("select pg_catalog.now() from rows", "now"),
        ("with made as (select random() as x from rows) select x from made", "random"),
        ("select id from rows where moment < (select now())", "now"),
        ("select id from rows order by random()", "random"),
        ("select list_transform([1], item -> random()) from rows", "random"),
        ("select id from rows union all select random()", "random"),
        ("select count(*) over (order by random()) from rows", "random"),
        ("select id from rows using sample 10", "a sample"),
        ("select id from rows tablesample 10%", "a sample"),
        ("select nextval('counter') from rows", "nextval"),
        ("select getvariable('x') from rows", "getvariable"),
    ],
)
def test_what_differs_from_run_to_run_is_refused_by_name(
    query: str, named: str, connection: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(ParamsError, match=rf"^features\.sql calls {named}, expected .* Cure: use columns"):
        refuse_unstable(connection, query, where="features.sql")


@pytest.mark.parametrize(
    "query",
    [
        "select age(moment, timestamp '2025-02-01') from rows",
        "select moment as random, hash(id) % 2 as half from rows",
        "select rows.now from (select 1 as now) as rows",
        "select age, random, now from (select 1 as age, 2 as random, 3 as now) as rows",
        "select error('no rows') from rows where id > 5",
        "select 'random() now()' as text, id from rows -- current_date",
        "select row_number() over (order by id), sum(id) over (order by moment) from rows",
        "select nothing frm rows",  # the engine explains a syntax error
    ],
)
def test_a_query_with_one_result_passes(query: str, connection: duckdb.DuckDBPyConnection) -> None:
    refuse_unstable(connection, query, where="features.sql")


@pytest.mark.parametrize("task", ["churn", "high_value_sale"])
def test_the_sample_tasks_pass(task: str, connection: duckdb.DuckDBPyConnection) -> None:
    query = own_task(task).features.query
    assert query is not None
    refuse_unstable(connection, query, where="features.sql")


@pytest.mark.parametrize("query", ["create table other as select 1", "drop table rows", "copy rows to 'x.csv'"])
def test_a_statement_that_changes_something_is_refused(query: str, connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ParamsError, match=r"features\.sql is no select statement"):
        refuse_unstable(connection, query, where="features.sql")
