"""A query is stopped after its limit; other errors and results stay."""

import sqlite3
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from lab.core.errors import SourceError
from lab.engine.time_limit import time_limit

SOON, LATE = 0.001, 60.0  # minutes
ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"


def in_duckdb() -> tuple[Callable[[str], Any], Callable[[], None]]:
    connection = duckdb.connect()
    return lambda query: connection.execute(query).fetchall(), connection.interrupt


def in_sqlite() -> tuple[Callable[[str], Any], Callable[[], None]]:
    connection = sqlite3.connect(":memory:")
    return lambda query: connection.execute(query).fetchall(), connection.interrupt


@pytest.mark.parametrize("database", [in_duckdb, in_sqlite])
def test_an_endless_query_is_stopped_and_the_connection_still_works(database: Callable[[], Any]) -> None:
    execute, stop = database()
    with pytest.raises(SourceError, match="too slow"), time_limit(SOON, stop=stop, message="too slow"):
        execute(ENDLESS)
    assert execute("select 1") == [(1,)]


def test_a_query_within_its_limit_keeps_its_result_and_its_errors() -> None:
    execute, stop = in_duckdb()
    with time_limit(LATE, stop=stop, message="too slow"):
        assert execute("select 7") == [(7,)]
    with pytest.raises(duckdb.Error, match="nothing"), time_limit(LATE, stop=stop, message="too slow"):
        execute("select nothing")
