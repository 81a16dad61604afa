"""Count what a column of an unknown table holds, by the casts of prepare."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from lab.dataset.tables import Column, ColumnType
from lab.engine.engine import columns_of, one_row, quoted, text_literal
from lab.prepare.casts import cast_sql, is_missing_sql

MOST_SHOWN = 21
DAY_FIRST = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
WRITTEN_OUT = ("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
COMPACT = "%Y%m%d"
DATE_WORDS = frozenset({"date", "day", "datum", "dt"})


@dataclass(frozen=True)
class ColumnFacts:
    """Counts of one column; `fits` has the number of present values that each type can parse.

    `counts` has the most frequent levels with their counts. `formats` are the date formats that parse every value; more
    than one means that day and month are ambiguous.
    """

    name: str
    rows: int
    missing: int
    levels: int
    counts: tuple[tuple[str, int], ...]
    fits: Mapping[str, int]
    formats: tuple[str, ...]
    has_clock: bool
    lowest: float | None
    highest: float | None
    longest: int
    with_blanks: int
    with_leading_zero: int
    with_signs: int
    text: bool

    @property
    def present(self) -> int:
        return self.rows - self.missing


@contextmanager
def opened(rows: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with the rows as the table `rows`."""
    with duckdb.connect(config={"TimeZone": "UTC", "autoinstall_known_extensions": "false"}) as connection:
        connection.register("arrived", rows)
        connection.execute("create table rows as select * from arrived")
        connection.unregister("arrived")
        yield connection


def facts_of(connection: duckdb.DuckDBPyConnection, name: str) -> ColumnFacts:
    """Return the facts of one column of the table `rows`."""
    rows, kind = _gather_levels(connection, name)
    present, levels, longest, blanks, zeros, signs = one_row(connection, SHAPE)
    number = cast_sql("v", Column(type="number"), kind)
    lowest, highest = one_row(connection, f"select min({number}), max({number}) from levels")
    fits = _fits(connection, kind)
    formats = _formats(connection, name, fits, present=present) if kind == "VARCHAR" else ()
    return ColumnFacts(
        name=name,
        rows=rows,
        missing=rows - present,
        levels=levels,
        counts=_counts(connection),
        fits=fits,
        formats=formats,
        has_clock=_has_clock(connection, kind, formats),
        lowest=lowest,
        highest=highest,
        longest=longest,
        with_blanks=blanks,
        with_leading_zero=zeros,
        with_signs=signs,
        text=kind == "VARCHAR",
    )


def _gather_levels(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[int, str]:
    """Create the table `levels` of a column's values v and counts n; return the number of rows and the raw type."""
    kind = columns_of(connection, "from rows")[name]
    connection.execute(
        f"create or replace temp table levels as select {quoted(name)} as v, count(*) as n from rows "
        f"where not {is_missing_sql(name, kind)} group by all"
    )
    return one_row(connection, "select count(*) from rows")[0], kind


def words_of(name: str) -> set[str]:
    """Return the words of a column's name in lower case.

    >>> sorted(words_of("CustomerID_at.signUp2"))
    ['at', 'customer', 'id', 'sign', 'up']
    """
    return {word.lower() for word in re.findall(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+", name)}


TEXT = "trim(cast(v as varchar))"
SHAPE = f"""
    select
        coalesce(sum(n), 0)::bigint,
        count(*),
        coalesce(max(length({TEXT})), 0),
        coalesce(sum(n) filter (where regexp_matches({TEXT}, '\\s')), 0)::bigint,
        coalesce(sum(n) filter (where regexp_matches({TEXT}, '^[+-]?0[0-9]+$')), 0)::bigint,
        coalesce(sum(n) filter (where regexp_full_match(
            {TEXT}, '[$€£¥+-]?\\s?[0-9]+([.,\\s][0-9]+)*\\s?[%$€£¥]?'
        ) and not regexp_full_match({TEXT}, '[+-]?[0-9.]+')), 0)::bigint
    from levels
"""


def _fits(connection: duckdb.DuckDBPyConnection, kind: str) -> dict[str, int]:
    types: tuple[ColumnType, ...] = ("integer", "number", "boolean", "timestamp")
    readable = [name for name in types if name != "timestamp" or _may_be_time(kind)]
    fitting = ", ".join(
        f"coalesce(sum(n) filter (where {cast_sql('v', Column(type=name), kind)} is not null), 0)::bigint"
        for name in readable
    )
    counted = zip(readable, one_row(connection, f"select {fitting} from levels"), strict=True)
    return {**dict.fromkeys(types, 0), **dict(counted)}


def _may_be_time(kind: str) -> bool:
    return kind in {"VARCHAR", "DATE"} or kind.startswith("TIMESTAMP")


def _counts(connection: duckdb.DuckDBPyConnection) -> tuple[tuple[str, int], ...]:
    rows = connection.execute(
        f"select {TEXT} as level, sum(n)::bigint as times from levels group by 1 order by 2 desc, 1 limit {MOST_SHOWN}"
    )
    return tuple((level, times) for level, times in rows.fetchall())


def _formats(
    connection: duckdb.DuckDBPyConnection, name: str, fits: Mapping[str, int], *, present: int
) -> tuple[str, ...]:
    """Return the formats that parse every value, if any is needed; digits are dates only if the name says so."""
    if fits["integer"] == present:
        return _reading(connection, (COMPACT,)) if words_of(name) & DATE_WORDS else ()
    looks_like = one_row(connection, "select bool_and(length(v) between 6 and 30 and v ~ '.*[0-9].*') from levels")[0]
    if not looks_like or max(fits.values()) == present:
        return ()
    days = (*DAY_FIRST, *MONTH_FIRST, *WRITTEN_OUT)
    return _reading(connection, tuple(day + clock for day in days for clock in CLOCKS))


def _reading(connection: duckdb.DuckDBPyConnection, formats: tuple[str, ...]) -> tuple[str, ...]:
    """Return the formats that parse every level as a date with a four-digit year."""
    tests = ", ".join(
        f"bool_and(coalesce(year(try_strptime(trim(v), {text_literal(form)})) between 1000 and 9999, false))"
        for form in formats
    )
    found = one_row(connection, f"select {tests} from levels")
    return tuple(form for form, reads in zip(formats, found, strict=True) if reads)


def _has_clock(connection: duckdb.DuckDBPyConnection, kind: str, formats: tuple[str, ...]) -> bool:
    if not _may_be_time(kind):
        return False
    moment = cast_sql("v", Column(type="timestamp", format=formats[0] if formats else None), kind)
    return bool(
        one_row(
            connection,
            f"select coalesce(bool_or(cast(cast({moment} as timestamp) as time) > '00:00'), false) from levels",
        )[0]
    )
