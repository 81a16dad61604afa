"""Refuse a query whose result differs from run to run."""

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from lab.core.errors import ParamsError

STABLE = {"error"}  # listed as volatile, so that it is not evaluated early
# The clock's functions that DuckDB's table lists as consistent, and its keywords for them.
CLOCK = {
    "current_localtime",
    "current_localtimestamp",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "pg_postmaster_start_time",
}
WITHOUT_BRACKETS = ("current_", "localtime", "session_user", "user")  # the rest of such names are columns: age, random
SAMPLE = "a sample"


def refuse_unstable(connection: duckdb.DuckDBPyConnection, query: str, *, where: str) -> None:
    """Refuse a query with chance, the clock, or the session in it; a query with a syntax error passes."""
    (text,) = connection.execute("select json_serialize_sql(?)", [query]).fetchall()[0]
    tree = json.loads(text)
    if tree["error"]:
        if "SELECT" in tree["error_message"]:
            raise ParamsError(f"{where} is no select statement. Correct it there.")
        return
    if found := sorted(set(_names(tree["statements"])) & _unstable_names(connection)):
        raise ParamsError(
            f"{where} calls {', '.join(found)}, expected only what is the same in every run. Cure: use columns of the "
            "tables, such as the moment of the row in place of the clock, and hash(key) in place of chance."
        )


def _unstable_names(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select distinct function_name from duckdb_functions() where stability <> 'CONSISTENT' or has_side_effects"
    ).fetchall()
    return ({name for (name,) in rows} | CLOCK | {SAMPLE, "age"}) - STABLE


def _names(tree: Any) -> Iterator[str]:
    """Yield the names of functions and of columns without a table, since `current_date` is parsed as a column."""
    if isinstance(tree, list):
        for part in tree:
            yield from _names(part)
    elif isinstance(tree, dict):
        if tree.get("sample"):
            yield SAMPLE
        name = str(tree.get("function_name", "")).lower()
        if name and (name != "age" or len(tree.get("arguments", ())) == 1):  # of one argument: the time until today
            yield name
        if tree.get("class") == "COLUMN_REF" and len(tree["column_names"]) == 1:
            column = tree["column_names"][0].lower()
            yield from [column] if column.startswith(WITHOUT_BRACKETS) else []
        for part in tree.values():
            yield from _names(part)
