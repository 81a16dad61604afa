"""Compare two Parquet tables in the SQL engine: by key, or by counting equal rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from lab.engine.engine import columns_of, connected, one_row, quoted
from ops.compare.changes import changes
from ops.compare.tables.concentrations import Levels, concentrations
from ops.compare.tables.described import Described
from ops.compare.tables.table_change import ColumnChange, Example, RowKind, TableChange

EXAMPLES = 3
MOST_LEVELS = 100
LONGEST = 200  # characters of a value
KINDS: tuple[RowKind, ...] = ("changed", "only in base", "only in head")  # numbered from 1; 0 is unchanged
LEVELLED = {"category", "boolean", "identifier", "integer", "date", "timestamp"}
MONTHS = ("DATE", "TIMESTAMP")
PLAIN = ("VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE")
REPEATED = "repeated"

Sides = tuple[str, str]


@dataclass(frozen=True)
class Column:
    """A column that both tables have with the same type; the queries name it by its place."""

    name: str
    place: int
    shown: bool
    level: str | None  # its level in SQL, made of {}


def compare_tables(name: str, base: Path, head: Path, described: Described, *, scratch: Path) -> TableChange:
    """Return what differs in two Parquet files; what does not fit into memory is written below `scratch`.

    One full join counts rows and cells, and keeps the first examples by key. Rows whose key is not unique, or that have
    none, are counted by EXCEPT ALL.
    """
    with connected({"base": base, "head": head}, scratch=scratch, numbered=False) as connection:
        old, new = (columns_of(connection, f"select * from {side}") for side in ("base", "head"))
        shared = [column for column in old if new.get(column) == old[column]]
        key = described.key if set(described.key) <= set(shared) else ()
        columns = [_column(place, column, old[column], key, described) for place, column in enumerate(shared)]
        for side in ("base", "head"):
            named = [f"{quoted(column)} as c{place}" for place, column in enumerate(shared)]
            connection.execute(f"create view {side}_rows as select {', '.join([*named, 'true as here'])} from {side}")
        found = _rows(connection, columns, key=key, described=described)
        old_rows, new_rows = one_row(connection, "select (select count(*) from base), (select count(*) from head)")
    schema, contract = changes(old, new), described.contract
    return TableChange(name, "changed", old_rows, new_rows, key, schema=schema, contract=contract, **found)


def _column(place: int, name: str, kind: str, key: Sequence[str], described: Described) -> Column:
    shown = described.shows(name)
    levelled = shown and name not in key and described.types[name] in LEVELLED and kind.startswith((*MONTHS, *PLAIN))
    levelled &= not kind.endswith("]")
    level = "date_trunc('month', cast({} as date))" if kind.startswith(MONTHS) else "{}"
    return Column(name, place, shown, level if levelled else None)


def _rows(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], *, key: Sequence[str], described: Described
) -> dict[str, Any]:
    """Return the counts, cells and concentrations of the rows, and which rows could not be matched."""
    if not key:
        missing = "the columns of its key are not in both" if described.key else ""
        removed, added = _counted(connection, ("base_rows", "head_rows"), columns)
        why = f"{missing or 'the task gives it no key'}: rows are counted, not matched"
        return {"unmatched": why, "only_in_base": removed, "only_in_head": added}
    keys = [column for column in columns if column.name in key]
    repeated = _set_repeated_apart(connection, keys)
    found = _matched(connection, ("base_once", "head_once") if repeated else ("base_rows", "head_rows"), columns, keys)
    if repeated:
        removed, added = _counted(connection, ("base_repeated", "head_repeated"), columns)
        found["only_in_base"] += removed
        found["only_in_head"] += added
        found["unmatched"] = f"{repeated:,} rows (base and head) repeat a key: they are counted, not matched"
    return found


def _set_repeated_apart(connection: duckdb.DuckDBPyConnection, keys: Sequence[Column]) -> int:
    """Make views of the rows whose key is unique on both sides and of the others; return how many others there are."""
    names = ", ".join(f"c{each.place}" for each in keys)
    each_side = (f"select {names} from {side}_rows group by {names} having count(*) > 1" for side in ("base", "head"))
    connection.execute(f"create temp table {REPEATED} as {' union '.join(each_side)}")
    if not one_row(connection, f"select count(*) from {REPEATED}")[0]:
        return 0
    same = " and ".join(f"r.c{each.place} is not distinct from s.c{each.place}" for each in keys)
    for side in ("base", "head"):
        for view, exists in (("once", "not exists"), (REPEATED, "exists")):
            connection.execute(
                f"create view {side}_{view} as select * from {side}_rows s "
                f"where {exists} (select 1 from {REPEATED} r where {same})"
            )
    counts = (f"(select count(*) from {side}_{REPEATED})" for side in ("base", "head"))
    return int(one_row(connection, f"select {' + '.join(counts)}")[0])


def _counted(connection: duckdb.DuckDBPyConnection, sides: Sides, columns: Sequence[Column]) -> tuple[int, int]:
    """Return how many rows are only in base and only in head, counting equal ones (EXCEPT ALL in both directions)."""
    names = ", ".join(["here", *(f"c{each.place}" for each in columns)])
    both = f"select 1 as n, {names} from {sides[0]} union all select -1, {names} from {sides[1]}"
    counts = f"select sum(n) as n from ({both}) group by {names}"
    more = "coalesce(sum(n) filter (n > 0), 0), coalesce(-sum(n) filter (n < 0), 0)"
    removed, added = one_row(connection, f"select {more} from ({counts})")
    return int(removed), int(added)


def _matched(
    connection: duckdb.DuckDBPyConnection, sides: Sides, columns: Sequence[Column], keys: Sequence[Column]
) -> dict[str, Any]:
    """Return what one full join of rows with unique keys finds."""
    cells = [each for each in columns if each not in keys]
    levelled = _few_levels(connection, sides, columns)
    found = iter(one_row(connection, _join(sides, keys, cells, levelled)))
    unchanged, *counts = (int(next(found)) for _ in ("unchanged", *KINDS))
    changed = [_changed(each, found) for each in cells]
    levels = {each.name: [_levels(next(found), rows) for rows in (unchanged, *counts)] for each in levelled}
    by_kind: dict[RowKind, Mapping[str, Levels]] = {
        kind: {name: each[number] for name, each in levels.items()} for number, kind in enumerate(KINDS, start=1)
    }
    return {
        **dict(zip(("changed", "only_in_base", "only_in_head"), counts, strict=True)),
        "columns": tuple(each for each in changed if each.cells),
        "concentrations": concentrations({name: each[0] for name, each in levels.items()}, by_kind),
    }


def _few_levels(connection: duckdb.DuckDBPyConnection, sides: Sides, columns: Sequence[Column]) -> list[Column]:
    """Return the columns by whose levels rows are counted: at most a hundred levels."""
    asked = [each for each in columns if each.level is not None]
    if not asked:
        return []
    counts = ", ".join(f"approx_count_distinct({_level(each, f'c{each.place}')})" for each in asked)
    sizes = [one_row(connection, f"select {counts} from {side}") for side in sides]
    return [each for each, *most in zip(asked, *sizes, strict=True) if max(most) <= MOST_LEVELS]


def _join(sides: Sides, keys: Sequence[Column], cells: Sequence[Column], levelled: Sequence[Column]) -> str:
    """Return the query: rows of each kind, cells and examples of each column, rows of each kind by level."""
    same = " and ".join(f"b.c{each.place} is not distinct from h.c{each.place}" for each in keys)
    differs = {each: f"b.c{each.place} is distinct from h.c{each.place}" for each in cells}
    kind = (
        "case when h.here is null then 2 when b.here is null then 3 "
        f"when {' or '.join(differs.values()) or 'false'} then 1 else 0 end"
    )
    inner = [
        f"{kind} as kind",
        f"row({', '.join(f'b.c{each.place}' for each in keys)}) as k",
        f"[{', '.join(_text(f'b.c{each.place}') for each in keys if each.shown)}]::varchar[] as shown",
        *(f"{differs[each]} as d{each.place}" for each in cells),
        *(f"{side}.c{each.place} as {side}{each.place}" for each in cells for side in "bh" if each.shown),
        *(f"{_level(each, _of_row(each))} as l{each.place}" for each in levelled),
    ]
    outer = [
        *(f"count(*) filter (kind = {number})" for number in range(len(KINDS) + 1)),
        *(part for each in cells for part in _cells(each)),
        *(f"histogram(l{each.place}) filter (kind = {n})" for each in levelled for n in range(len(KINDS) + 1)),
    ]
    joined = f"{sides[0]} b full join {sides[1]} h on {same}"
    return f"select {', '.join(outer)} from (select {', '.join(inner)} from {joined})"


def _cells(column: Column) -> list[str]:
    """Return the count of changed cells, and where values may be shown the examples with the smallest keys."""
    where = f"filter (kind = 1 and d{column.place})"
    old, new = (_text(f"{side}{column.place}") for side in "bh")
    example = f"struct_pack(k := shown, o := {old}, n := {new})"
    return [f"count(*) {where}", *([f"arg_min({example}, k, {EXAMPLES}) {where}"] if column.shown else [])]


def _text(value: str) -> str:
    return f"left(cast({value} as varchar), {LONGEST})"


def _of_row(column: Column) -> str:
    return f"case when b.here is null then h.c{column.place} else b.c{column.place} end"


def _level(column: Column, value: str) -> str:
    return (column.level or "{}").format(value)


def _changed(column: Column, found: Iterator[Any]) -> ColumnChange:
    cells = int(next(found))
    kept = (next(found) or []) if column.shown else []
    examples = tuple(Example(tuple(each["k"]), each["o"], each["n"]) for each in kept)
    return ColumnChange(column.name, cells, not column.shown, examples)


def _levels(found: Mapping[Any, int] | None, rows: int) -> dict[str | None, int]:
    """Return the rows of each level; those that no level counts have a missing value."""
    levels: dict[str | None, int] = {
        _named(level): int(count) for level, count in sorted((found or {}).items(), key=str)
    }
    missing = rows - sum(levels.values())
    return {**levels, **({None: missing} if missing else {})}


def _named(level: object) -> str:
    """Return a level as text; of a date its month."""
    if isinstance(level, date):
        return level.isoformat()[: len("2024-01")]
    return str(level).lower() if isinstance(level, bool) else str(level)
