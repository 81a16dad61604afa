"""Infer a task file from an unknown table, with reasons."""

import difflib
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal

import duckdb
import pyarrow as pa

from lab.core.errors import SourceError
from lab.dataset.features import ROW
from lab.dataset.split import GroupSplit, RandomSplit, Split, TimeSplit
from lab.dataset.tables import Column
from lab.engine.engine import columns_of, one_row, quoted, text_literal
from lab.prepare.casts import cast_sql
from ops.init.bound import bound_target
from ops.init.column_facts import ColumnFacts, facts_of, opened, words_of
from ops.init.column_types import (
    ENOUGH_ROWS,
    FEW_LEVELS,
    IDENTIFIER_WORDS,
    identifier_reason,
    label_column,
    moment_column,
    type_of,
    useless_reason,
    with_missing_share,
)
from ops.init.target import Label, label_of

Role = Literal["label", "unit", "time", "feature", "group", "left out"]

GROUP_WORDS = frozenset({"gender", "sex", "senior", "region", "race", "ethnicity", "nationality", "disability"})
GROUP_WORDS |= {"geschlecht", "marital", "married", "familienstand", "city", "state", "country", "religion", "ethnic"}
UNIT_WORDS = frozenset(
    {"customer", "client", "patient", "user", "person", "member", "household", "subject", "account"}
) | {
    *("student", "employee", "kunde", "kunden", "company", "device"),
}
FEWEST_REPEATS = 1.1  # rows of a unit, on average; below, equal identifiers may be chance
MOST_REPEATS = 20  # above, an identifier may be of a place or a product
MOVES = 4.0  # standard errors between the first and the last part of a file
PARTS = 5
MOST_COLUMNS = 2_000
FEWEST_NUMBERS = 6  # levels; with more, whole numbers are quantities
GROUP_PAIRS = (frozenset({"age", "group"}), frozenset({"age", "band"}), frozenset({"age", "class"}))
GROUP_LEVELS = range(2, 9)
GROUPS_AT_MOST = 3
ROWS_PER_LEVEL = 10  # with fewer rows, a value with one class only may be chance
COLUMNS_SHOWN = 30


@dataclass(frozen=True)
class Options:
    """What the user says about the table."""

    target: str
    positive: str | None = None
    time: str | None = None
    unit: str | None = None
    groups: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    question: str | None = None
    above: float | None = None


@dataclass(frozen=True)
class Decision:
    """A column's contract, its role, and why."""

    name: str
    column: Column
    role: Role
    reason: str


@dataclass(frozen=True)
class Inference:
    """The content of a task file for one flat table; notes are for a person to read before the first run."""

    label: Label
    decisions: tuple[Decision, ...]
    key: tuple[str, ...]
    unit: tuple[str, ...]
    moment: str | None
    split: Split
    groups: tuple[str, ...]
    notes: tuple[str, ...]
    above: float | None = None


def infer_task(rows: pa.Table, options: Options) -> Inference:
    """Return the task of a table with text or typed cells, and null for missing ones."""
    for name in (options.target, options.time, options.unit, *options.groups, *options.ignore):
        _refuse_unknown(name, rows.column_names)
    if rows.num_columns > MOST_COLUMNS:
        raise SourceError(
            f"found {rows.num_columns:,} columns, expected at most {MOST_COLUMNS:,}. Keep those that may matter."
        )
    with opened(rows) as connection:
        numbers = facts_of(connection, options.target)
        if options.above is not None:
            options = replace(options, positive=bound_target(connection, numbers, options.above))
        facts = {name: facts_of(connection, name) for name in rows.column_names}
        label = label_of(facts[options.target], options.positive)
        giveaways = _giveaways(connection, facts, target=options.target, label=label)
        counted = {name for name, fact in facts.items() if _is_row_number(connection, fact)}
        if options.above is not None:
            label = replace(label, reason="--above says so")
        decisions = [_decide(fact, options, label, giveaways, counted) for fact in facts.values()]
        options, repeats = _with_repeated_unit(options, decisions, facts)
        moving = _moving_note(connection, options, label)
        unit = _unit_of(connection, decisions, facts, options)
        split = _split_of(connection, facts, options)
    proposed = [each.name for each in decisions if _is_group(each, facts[each.name])][:GROUPS_AT_MOST]
    groups = list(options.groups) or proposed
    return Inference(
        label=label,
        decisions=tuple(_with_role(_with_numbers(each, numbers, options), unit, groups) for each in decisions),
        key=unit if options.time is None and ROW not in unit else (),
        unit=unit,
        moment=options.time,
        split=split,
        groups=tuple(groups),
        above=options.above,
        notes=(
            *_leak_notes(giveaways),
            *_label_notes(facts[options.target]),
            *repeats,
            *moving,
            *_column_notes(facts, decisions, options),
            *_group_notes(groups, decisions),
        ),
    )


def _with_numbers(decision: Decision, facts: ColumnFacts, options: Options) -> Decision:
    """Return the target's decision with the contract of its numbers."""
    if options.above is None or decision.role != "label":
        return decision
    return replace(
        decision, column=type_of(facts)[0].model_copy(update={"missing_share": decision.column.missing_share})
    )


def _refuse_unknown(name: str | None, names: Sequence[str]) -> None:
    if name is None or name in names:
        return
    folded = {other.casefold(): other for other in names}
    near = [folded[other] for other in difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)]
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    numbers = sum(other.strip("+-").replace(".", "", 1).isdigit() for other in names)
    if not near and 3 * numbers > len(names):
        hint = " The first line looks like data: give the file a header, or --header none."
    more = f" and {len(names) - COLUMNS_SHOWN} more" if len(names) > COLUMNS_SHOWN else ""
    raise SourceError(f"found no column {name!r}, expected one of {list(names[:COLUMNS_SHOWN])}{more}.{hint}")


def _giveaways(
    connection: duckdb.DuckDBPyConnection, facts: Mapping[str, ColumnFacts], *, target: str, label: Label
) -> dict[str, str]:
    """Return the columns that determine the label in every row (leaks), and how."""
    kind = columns_of(connection, "from rows")[target]
    read = cast_sql(target, Column(type="integer" if isinstance(label.positive, int) else "category"), kind)
    positive = f"cast({read} as varchar) = {text_literal(str(label.positive))}"
    found = {}
    for name, fact in facts.items():
        few = 1 < fact.levels + bool(fact.missing) <= min(FEW_LEVELS, label.rows / ROWS_PER_LEVEL)
        if name == target or fact.levels == 0:
            continue
        if fact.missing and _determines(connection, f"{quoted(name)} is null", positive):
            found[name] = "it is present in one class only"
        elif few and _determines(connection, quoted(name), positive):
            found[name] = "each of its values has one class only"
    return found


def _determines(connection: duckdb.DuckDBPyConnection, value: str, label: str) -> bool:
    """Return whether each level of a value has one class only, and there are several levels."""
    levels, mixed = one_row(
        connection,
        "select count(*), count(*) filter (where classes > 1) from ("
        f"select count(distinct label) as classes from (select {value} as v, {label} as label from rows) group by v)",
    )
    return bool(levels > 1 and mixed == 0)


def _decide(
    facts: ColumnFacts, options: Options, label: Label, giveaways: Mapping[str, str], counted: Set[str]
) -> Decision:
    name = facts.name
    if name == options.target:
        whole = isinstance(label.positive, int)
        return Decision(
            name, label_column(facts, whole=whole), "label", f"{label.positive} is positive: {label.reason}"
        )
    if name == options.time:
        return Decision(name, moment_column(facts), "time", "the time of a row, by --time")
    if name == options.unit:
        return Decision(name, Column(type="identifier", private=True, missing_share=0.0), "unit", "the unit of a row")
    if name in options.ignore:
        return Decision(name, Column(type="ignore"), "left out", "--ignore says so")
    if name in counted:
        return Decision(name, Column(type="ignore"), "left out", "it is the number of the row")
    return _decide_by_content(facts, giveaways)


def _decide_by_content(facts: ColumnFacts, giveaways: Mapping[str, str]) -> Decision:
    name = facts.name
    if name in giveaways:
        return Decision(name, Column(type="ignore"), "left out", f"it leaks the label: {giveaways[name]}")
    if reason := useless_reason(facts):
        return Decision(name, Column(type="ignore"), "left out", reason)
    if reason := identifier_reason(facts):
        return Decision(name, Column(type="identifier", private=True), "left out", reason)
    column, reason = type_of(facts)
    role: Role = "left out" if column.type == "ignore" else "feature"
    return Decision(name, with_missing_share(column, facts), role, reason)


def _unit_of(
    connection: duckdb.DuckDBPyConnection,
    decisions: Sequence[Decision],
    facts: Mapping[str, ColumnFacts],
    options: Options,
) -> tuple[str, ...]:
    """Return the columns that identify a row: the user's, else the first unique identifier, else none."""
    if options.unit is None:
        identifiers = [each.name for each in decisions if each.column.type == "identifier"]
        unique = [name for name in identifiers if facts[name].levels == facts[name].rows]
        return tuple(sorted(unique, key=lambda name: not _names_a_unit(name))[:1])
    key = ", ".join(quoted(name) for name in (options.unit, options.time) if name)
    rows, units = one_row(connection, f"select count(*), count(distinct ({key})) from rows")
    return (options.unit,) if rows == units else (options.unit, ROW)


def _split_of(connection: duckdb.DuckDBPyConnection, facts: Mapping[str, ColumnFacts], options: Options) -> Split:
    if options.time is not None:
        return _split_by_time(connection, facts[options.time])
    if options.unit is not None and facts[options.unit].levels < facts[options.unit].rows:
        return GroupSplit(kind="group", column=options.unit)
    return RandomSplit(kind="random")


def _split_by_time(connection: duckdb.DuckDBPyConnection, facts: ColumnFacts) -> TimeSplit:
    """Return the split in whole days: the newest fifth of the rows is current, the fifth before is test."""
    moment = cast_sql(facts.name, moment_column(facts), columns_of(connection, "from rows")[facts.name])
    first, test, current, last = one_row(
        connection,
        "select min(day), quantile_disc(day, 0.6), quantile_disc(day, 0.8), max(day) "
        f"from (select cast({moment} as date) as day from rows)",
    )
    current_days, test_days = max(1, (last - current).days), max(1, (current - test).days)
    if (last - first).days < current_days + test_days + 1:
        raise SourceError(
            f"the times in {facts.name!r} range from {first} to {last}, too short for three parts of whole days. "
            "Cure: provide more history, or leave --time out."
        )
    return TimeSplit(kind="time", current_days=current_days, test_days=test_days)


def _names_a_unit(name: str) -> bool:
    return bool(words_of(name) & (IDENTIFIER_WORDS | UNIT_WORDS))


def _is_row_number(connection: duckdb.DuckDBPyConnection, facts: ColumnFacts) -> bool:
    """Return whether a column counts the rows of the file, and its name does not say that it identifies something."""
    if facts.levels < facts.rows or facts.fits["integer"] < facts.rows or _names_a_unit(facts.name):
        return False
    if facts.rows < ENOUGH_ROWS or (facts.highest or 0) - (facts.lowest or 0) != facts.rows - 1:
        return False
    number = cast_sql(facts.name, Column(type="integer"), columns_of(connection, "from rows")[facts.name])
    return bool(one_row(connection, f"select count(distinct {number} - rowid) = 1 from rows")[0])


def _with_repeated_unit(
    options: Options, decisions: Sequence[Decision], facts: Mapping[str, ColumnFacts]
) -> tuple[Options, list[str]]:
    """Return the options with the identifier whose rows repeat as unit, and a note on it."""
    if options.unit is not None:
        return options, []
    rows = facts[options.target].rows
    named = [each.name for each in decisions if each.column.type == "identifier" and each.name != options.time]
    repeated = [name for name in named if facts[name].present == facts[name].rows]
    repeated = [name for name in repeated if facts[name].levels * FEWEST_REPEATS < facts[name].rows]
    repeated = [name for name in repeated if words_of(name) & UNIT_WORDS or facts[name].levels * MOST_REPEATS > rows]
    if not repeated:
        return options, []
    unit = max(repeated, key=lambda name: (bool(words_of(name) & UNIT_WORDS), facts[name].levels))
    note = (
        f"{unit} repeats ({facts[unit].levels:,} in {facts[unit].rows:,} rows): its rows stay in one part of the split"
    )
    return replace(options, unit=unit), [f"{note}; --unit names another column"]


def _moving_note(connection: duckdb.DuckDBPyConnection, options: Options, label: Label) -> list[str]:
    """Return a note if the share of positives differs between the first and the last fifth of the file."""
    if options.time is not None:
        return []
    positive = f"(trim(cast({quoted(options.target)} as varchar)) = {text_literal(str(label.positive))})::int"
    shares = connection.execute(
        f"select avg(y), count(y) from (select {positive} as y, rowid * {PARTS} // (select count(*) from rows) as part "
        "from rows) group by part order by part"
    ).fetchall()
    (first, rows), (last, _) = shares[0], shares[-1]
    if first is None or last is None or len(shares) < PARTS:
        return []
    pooled = (first + last) / 2
    if abs(last - first) <= MOVES * math.sqrt(2 * pooled * (1 - pooled) / rows):
        return []
    shown = f"positives are {100 * first:.1f} % of the first and {100 * last:.1f} % of the last fifth of the file"
    return [f"{shown}: its order matters; name the time with --time, so that later rows are tested"]


def _group_notes(groups: Sequence[str], decisions: Sequence[Decision]) -> list[str]:
    ages = [each.name for each in decisions if words_of(each.name) & {"age", "alter"} and each.name not in groups]
    ages = [f"{name} needs bands, as a column of the file" for name in ages[:1]]
    none = ["no column is compared for fairness; --group COLUMN names one"] if not groups else []
    return [*none, *ages]


def _is_group(decision: Decision, facts: ColumnFacts) -> bool:
    words = words_of(decision.name)
    telling = bool(words & GROUP_WORDS) or any(pair <= words for pair in GROUP_PAIRS)
    few = decision.column.type in {"category", "boolean", "integer"} and facts.levels in GROUP_LEVELS
    return telling and few and decision.role == "feature"


def _with_role(decision: Decision, unit: Sequence[str], groups: Sequence[str]) -> Decision:
    if decision.name in groups:
        return replace(decision, role="group", reason=f"{decision.reason}; compared for fairness")
    if decision.name in unit:
        return replace(decision, role="unit", column=Column(type="identifier", private=True, missing_share=0.0))
    return decision


def _leak_notes(giveaways: Mapping[str, str]) -> list[str]:
    return [f"{name} is left out, for it leaks the label: {how}" for name, how in giveaways.items()]


def _label_notes(facts: ColumnFacts) -> list[str]:
    return [f"{facts.missing:,} rows have no {facts.name}: they are not used"] if facts.missing else []


def _column_notes(facts: Mapping[str, ColumnFacts], decisions: Sequence[Decision], options: Options) -> list[str]:
    notes = []
    dates = [each.name for each in decisions if each.column.type in {"date", "timestamp"}]
    if dates and options.time is None:
        notes.append(f"{', '.join(dates)} could order the rows; --time {dates[0]} tests on later rows than training")
    codes = [each.name for each in decisions if each.column.type == "integer" and each.role == "feature"]
    if few := [name for name in codes if 2 < facts[name].levels <= FEWEST_NUMBERS]:
        notes.append(f"{', '.join(few)}: few whole numbers; if they are codes, set `type: category` in the task file")
    for name, fact in facts.items():
        if len(fact.formats) > 1:
            notes.append(f"{name}: day and month are ambiguous; correct the format if {fact.formats[0]} is wrong")
        if fact.with_signs > fact.present / 2 and fact.fits["number"] < fact.present:
            example = fact.counts[0][0]
            notes.append(f"{name} looks like numbers with signs, such as {example!r}; without them it reads as numbers")
    return notes
