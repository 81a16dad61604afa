"""Validate a raw table against its contract in one pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

import duckdb

from lab.core.errors import ContractError
from lab.dataset.tables import Column, Limits, Table
from lab.engine.engine import columns_of, one_row, quoted, text_literal
from lab.prepare.casts import cast_sql, is_missing_sql
from lab.prepare.repair import nearest_levels

EXAMPLES = 3
PRIVATE = "a private value"
ROW = "'row ' || (n + 1)"

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Check:
    """One rule on one column: SQL that is true where a row breaks it, and the tolerated share of rows."""

    column: str
    rule: str
    breaks: str
    level: Level
    tolerated: float


@dataclass(frozen=True)
class Finding:
    """A broken rule: the number of rows, and up to three examples in file order."""

    table: str
    column: str
    rule: str
    level: Level
    count: int
    rows: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        share = f"{100 * self.count / self.rows:.3g} %" if self.rows else "no rows"
        shown = f", such as {'; '.join(self.examples)}" if self.examples else ""
        return f"{self.table}.{self.column}: {self.rule}: found {self.count} of {self.rows} rows ({share}){shown}"


@dataclass(frozen=True)
class Reading:
    """How a raw table is read under its contract: SQL for each column, and the repairs.

    `orphans` has, for each column with `references`, the SQL that is true where the referenced table lacks the value.
    """

    name: str
    table: Table
    raw_types: Mapping[str, str]
    typed: Mapping[str, str]
    missing: Mapping[str, str]
    repairs: Mapping[str, Mapping[str, str]]
    orphans: Mapping[str, str] = field(default_factory=dict)

    @property
    def relation(self) -> str:
        """SQL of the rows: number n, and by column the raw value r0…, whether it is missing m0…, the cast value t0…."""
        parts = [
            f"{quoted(column)} as r{i}, {self.missing[column]} as m{i}, {self.typed[column]} as t{i}"
            for i, column in enumerate(self.table.columns)
        ]
        return f"(select file_row_number as n, {', '.join(parts)} from {quoted(self.name)})"

    @property
    def checked(self) -> str:
        """SQL of the same rows, with o0… by column with `references`: whether the value is an orphan."""
        order = list(self.table.columns)
        parts = [f", {condition} as o{order.index(label)}" for label, condition in self.orphans.items()]
        return f"(select *{''.join(parts)} from {self.relation})" if parts else self.relation


def read_under_contract(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> Reading:
    """Return how a table is read; a table that lacks columns is refused."""
    raw_types = columns_of(connection, f"from {quoted(name)}")
    if lacking := [column for column in table.columns if column not in raw_types]:
        raise ContractError(
            f"data/raw/{name}.parquet lacks {lacking}; it has {list(raw_types)}. "
            f"Add the columns to the source, or remove them from the task file: tables.{name}.columns."
        )
    typed = {label: cast_sql(label, column, raw_types[label]) for label, column in table.columns.items()}
    missing = {label: is_missing_sql(label, raw_types[label]) for label in table.columns}
    repairs = {
        label: _repairs_of(connection, name, typed[label], column.allowed)
        for label, column in table.columns.items()
        if column.repair == "nearest" and column.allowed
    }
    typed |= {label: _repaired(typed[label], pairs) for label, pairs in repairs.items() if pairs}
    return Reading(name, table, raw_types, typed, missing, repairs)


def check_contract(connection: duckdb.DuckDBPyConnection, reading: Reading, *, as_of: date | None) -> list[Finding]:
    """Return every broken rule of a table, errors and warnings, in the order of the contract."""
    checks = [
        check
        for i, (label, column) in enumerate(reading.table.columns.items())
        for check in _checks_of(label, column, position=i)
    ]
    rows, missing, counts = _count(connection, reading, checks)
    broken = {check: count for check, count in zip(checks, counts, strict=True) if count}
    findings = [
        Finding(reading.name, check.column, check.rule, _level(check, count, rows), count, rows, examples)
        for (check, count), examples in zip(broken.items(), _examples(connection, reading, list(broken)), strict=True)
    ]
    return [*_table_findings(connection, reading, rows=rows, as_of=as_of), *_missing(reading, missing, rows), *findings]


def refuse(findings: Sequence[Finding]) -> None:
    """Raise one error that lists every broken rule; warnings are not errors."""
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        listed = "\n".join(f"  {finding}" for finding in errors)
        raise ContractError(
            f"The raw data breaks its contract in {len(errors)} place(s); nothing was overwritten.\n{listed}\n"
            "Correct the source, or the rule in the task file (tables): a column can have on_violation: drop_row or "
            "set_missing, up to a violation_share."
        )


def breaking_sql(label: str, column: Column, *, position: int) -> list[str]:
    """Return the SQL conditions under which a value breaks an error rule of its column."""
    return [check.breaks for check in _checks_of(label, column, position=position) if check.level == "error"]


def _checks_of(label: str, column: Column, *, position: int) -> Iterator[Check]:
    value, tolerated = f"t{position}", 0.0 if column.on_violation == "refuse" else column.violation_share
    yield Check(label, f"type {column.type}", f"not m{position} and {value} is null", "error", tolerated)
    for rule, breaks in _limit_sql(column, column, value):
        yield Check(label, rule, breaks, "error", tolerated)
    if column.references is not None:
        yield Check(label, f"references {column.references}", f"o{position}", "error", tolerated)
    for rule, breaks in _limit_sql(column, column.warn, value):
        yield Check(label, rule, breaks, "warning", 0.0)


def _limit_sql(column: Column, limits: Limits, value: str) -> Iterator[tuple[str, str]]:
    if limits.minimum is not None:
        yield f"minimum {limits.minimum}", f"{value} < {_bound_sql(column, limits.minimum)}"
    if limits.maximum is not None:
        yield f"maximum {limits.maximum}", f"{value} > {_bound_sql(column, limits.maximum)}"
    if limits.allowed is not None:
        levels = ", ".join(text_literal(level) for level in limits.allowed)
        yield f"allowed {list(limits.allowed)}", f"{value} not in ({levels})"


def _bound_sql(column: Column, bound: float | date | datetime) -> str:
    if isinstance(bound, date):  # a datetime is a date too
        return f"timestamp {text_literal(bound.isoformat(sep=' ') if isinstance(bound, datetime) else str(bound))}"
    return repr(round(bound * 100)) if column.type == "money" else repr(bound)


def _level(check: Check, count: int, rows: int) -> Level:
    """Return the level of a broken rule: a tolerated one is a warning."""
    return "warning" if count <= check.tolerated * rows else check.level


def _count(
    connection: duckdb.DuckDBPyConnection, reading: Reading, checks: Sequence[Check]
) -> tuple[int, list[int], list[int]]:
    missing = [f"count(*) filter (where m{i})" for i in range(len(reading.table.columns))]
    broken = [f"count(*) filter (where {check.breaks})" for check in checks]
    rows, *counts = one_row(connection, f"select {', '.join(['count(*)', *missing, *broken])} from {reading.checked}")
    return rows, counts[: len(missing)], counts[len(missing) :]


def _examples(
    connection: duckdb.DuckDBPyConnection, reading: Reading, checks: Sequence[Check]
) -> list[tuple[str, ...]]:
    """Return the first rows that break each rule, in a second pass that valid data does not need."""
    if not checks:
        return []
    order, columns = list(reading.table.columns), reading.table.columns
    named = (f"{text_literal(f'{label}=')} || {_shown(order.index(label))}" for label in reading.table.key)
    key = ROW if _private(reading.table) else " || ', ' || ".join(named) or ROW
    shown = [
        f"arg_min({key} || ': ' || "
        f"{text_literal(PRIVATE) if columns[check.column].private else _shown(order.index(check.column))}, "
        f"n, {EXAMPLES}) filter (where {check.breaks})"
        for check in checks
    ]
    return [tuple(examples) for examples in one_row(connection, f"select {', '.join(shown)} from {reading.checked}")]


def _private(table: Table) -> bool:
    return any(table.columns[label].private for label in table.key)


def _shown(position: int) -> str:
    return f"coalesce(cast(r{position} as varchar), 'missing')"


def _missing(reading: Reading, counts: Sequence[int], rows: int) -> Iterator[Finding]:
    share, cells, lacking = reading.table.missing_share, rows * len(counts), sum(counts)
    if share is not None and lacking > share * cells:
        rule = f"missing_share {share} of all cells, in place of {lacking / cells:.3g}"
        yield Finding(reading.name, "(table)", rule, "error", rows, rows, ())
    for (label, column), count in zip(reading.table.columns.items(), counts, strict=True):
        ceiling = 0.0 if label in reading.table.key else column.missing_share
        rules: tuple[tuple[Level, float | None], ...] = (("error", ceiling), ("warning", column.warn.missing_share))
        for level, limit in rules:
            if limit is not None and count > limit * rows:
                yield Finding(reading.name, label, f"missing_share {limit}", level, count, rows, ())


def _table_findings(
    connection: duckdb.DuckDBPyConnection, reading: Reading, *, rows: int, as_of: date | None
) -> Iterator[Finding]:
    table = reading.table
    if rows < table.minimum_rows:
        yield Finding(reading.name, "(table)", f"minimum_rows {table.minimum_rows}", "error", rows, rows, ())
    for label in reading.raw_types:
        if label not in table.columns:
            yield Finding(reading.name, label, "described in the task file", "warning", rows, rows, ())
    if table.key:
        count, examples = _repeated_keys(connection, reading)
        if count:
            level: Level = "error" if count > table.duplicate_share * rows else "warning"
            yield Finding(reading.name, "+".join(table.key), "unique key", level, count, rows, examples)
    if table.newest and table.fresh_within_days is not None and as_of is not None:
        yield from _staleness(connection, reading, as_of=as_of, rows=rows)
    if table.newest and table.minimum_days is not None:
        yield from _too_short(connection, reading, least=table.minimum_days, rows=rows)


def _repeated_keys(connection: duckdb.DuckDBPyConnection, reading: Reading) -> tuple[int, tuple[str, ...]]:
    order = list(reading.table.columns)
    keys = ", ".join(f"t{order.index(label)}" for label in reading.table.key)
    shown = "'row ' || (min(n) + 1)" if _private(reading.table) else f"cast(row({keys}) as varchar)"
    query = (
        f"select coalesce(sum(times - 1), 0), arg_min(shown, n, {EXAMPLES}) from ("
        f"select min(n) as n, count(*) as times, {shown} as shown from {reading.relation} "
        f"group by {keys} having count(*) > 1)"
    )
    count, examples = one_row(connection, query)
    return int(count), tuple(examples or ())


def _staleness(connection: duckdb.DuckDBPyConnection, reading: Reading, *, as_of: date, rows: int) -> Iterator[Finding]:
    table = reading.table
    position = list(table.columns).index(table.newest or "")
    days, newest = one_row(
        connection,
        f"select date_diff('day', cast(max(t{position}) as date), date '{as_of}'), cast(max(t{position}) as varchar) "
        f"from {reading.relation}",
    )
    if days is None or days > (table.fresh_within_days or 0):
        rule = f"fresh_within_days {table.fresh_within_days} of {as_of}"
        yield Finding(reading.name, table.newest or "", rule, "error", rows, rows, (f"newest: {newest}",))


def _repairs_of(connection: duckdb.DuckDBPyConnection, name: str, value: str, allowed: Sequence[str]) -> dict[str, str]:
    rows = connection.execute(
        f"select distinct {value} as level from {quoted(name)} where level is not null"
    ).fetchall()
    return nearest_levels((level for (level,) in rows), allowed)


def _repaired(value: str, pairs: Mapping[str, str]) -> str:
    cases = " ".join(f"when {text_literal(found)} then {text_literal(level)}" for found, level in pairs.items())
    return f"case {value} {cases} else {value} end"


def _too_short(connection: duckdb.DuckDBPyConnection, reading: Reading, *, least: int, rows: int) -> Iterator[Finding]:
    value = f"cast(t{list(reading.table.columns).index(reading.table.newest or '')} as date)"
    (days,) = one_row(connection, f"select date_diff('day', min({value}), max({value})) + 1 from {reading.relation}")
    if days is None or days < least:
        rule = f"minimum_days {least}, in place of {days or 0}"
        yield Finding(reading.name, reading.table.newest or "", rule, "error", rows, rows, ())
