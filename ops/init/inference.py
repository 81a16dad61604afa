"""Decide, from a table that nobody has described yet, what a task file should say of it, and say why."""

import difflib
from collections.abc import Mapping, Sequence
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
from ops.init.column_facts import ColumnFacts, facts_of, opened, words_of
from ops.init.column_types import (
    FEW_LEVELS,
    identifier_reason,
    label_column,
    moment_column,
    type_of,
    useless_reason,
    with_missing_share,
)

Role = Literal["label", "unit", "time", "feature", "group", "left out"]

POSITIVE_WORDS = frozenset({"yes", "y", "true", "t", "positive", "pos", "churn", "churned", "left", "exited"}) | {
    *("attrited", "lost", "cancelled", "canceled", "default", "defaulted", "bad", "fraud", "spam", "sick", "disease"),
    *("malignant", "won", "converted", "bought", "subscribed", "high"),
}
GROUP_WORDS = frozenset({"gender", "sex", "senior", "region", "race", "ethnicity", "nationality", "disability"})
GROUP_PAIRS = (frozenset({"age", "group"}), frozenset({"age", "band"}), frozenset({"age", "class"}))
GROUP_LEVELS = range(2, 9)
GROUPS_AT_MOST = 3
ROWS_PER_LEVEL = 10  # with fewer, that a value comes with one class only may be chance
CLASSES_SHOWN = 10
COLUMNS_SHOWN = 30


@dataclass(frozen=True)
class Wishes:
    """What the user has said about the table."""

    target: str
    positive: str | None = None
    time: str | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Decision:
    """What is written of one column, the part it plays, and why."""

    name: str
    column: Column
    role: Role
    reason: str


@dataclass(frozen=True)
class Label:
    """The positive value of the target, and how many of the rows that have a label hold it."""

    positive: str | int
    positives: int
    rows: int
    reason: str


@dataclass(frozen=True)
class Inference:
    """Everything a task file says of one flat table; notes are what a person should know of before the first run."""

    label: Label
    decisions: tuple[Decision, ...]
    key: tuple[str, ...]
    unit: tuple[str, ...]
    moment: str | None
    split: Split
    groups: tuple[str, ...]
    notes: tuple[str, ...]


def infer_task(rows: pa.Table, wishes: Wishes) -> Inference:
    """Return what to write of a table whose cells are text or typed, with null for what is missing."""
    for wish in (wishes.target, wishes.time, wishes.unit):
        _refuse_unknown(wish, rows.column_names)
    with opened(rows) as connection:
        facts = {name: facts_of(connection, name) for name in rows.column_names}
        label = _label_of(facts[wishes.target], wishes.positive)
        giveaways = _giveaways(connection, facts, target=wishes.target, label=label)
        decisions = [_decide(fact, wishes, label, giveaways) for fact in facts.values()]
        unit = _unit_of(connection, decisions, facts, wishes)
        split = _split_of(connection, facts, wishes)
    groups = [each.name for each in decisions if _is_group(each, facts[each.name])][:GROUPS_AT_MOST]
    return Inference(
        label=label,
        decisions=tuple(_with_role(each, unit, groups) for each in decisions),
        key=unit if wishes.time is None and ROW not in unit else (),
        unit=unit,
        moment=wishes.time,
        split=split,
        groups=tuple(groups),
        notes=(*_leak_notes(giveaways), *_label_notes(facts[wishes.target]), *_column_notes(facts, decisions, wishes)),
    )


def _refuse_unknown(name: str | None, names: Sequence[str]) -> None:
    if name is None or name in names:
        return
    folded = {other.casefold(): other for other in names}
    near = [folded[other] for other in difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)]
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    numbers = sum(other.strip("+-").replace(".", "", 1).isdigit() for other in names)
    if not near and 3 * numbers > len(names):
        hint = " The first line looks like data: give the file a header."
    more = f" and {len(names) - COLUMNS_SHOWN} more" if len(names) > COLUMNS_SHOWN else ""
    raise SourceError(f"found no column {name!r}, expected one of {list(names[:COLUMNS_SHOWN])}{more}.{hint}")


def _label_of(facts: ColumnFacts, wished: str | None) -> Label:
    found = dict(facts.counts)
    shown = ", ".join(f"{level!r} ({count:,} rows)" for level, count in facts.counts[:CLASSES_SHOWN])
    shown += f" and {facts.levels - CLASSES_SHOWN:,} more" if facts.levels > CLASSES_SHOWN else ""
    if facts.levels < 2:
        raise SourceError(
            f"the target {facts.name!r} has one class, {shown or 'for it is empty'}; expected two. "
            "Cure: bring rows of the other class, or name another --target."
        )
    if facts.levels > 2 and wished is None:
        raise SourceError(
            f"the target {facts.name!r} has {facts.levels:,} classes, {shown}; expected two. "
            "Cure: --positive VALUE makes it that class against all the others."
        )
    if wished is not None and wished not in found:
        raise SourceError(
            f"the target {facts.name!r} has no class {wished!r}, expected one of {shown}. Cure: correct --positive."
        )
    positive, reason = (wished, "--positive says so") if wished is not None else _positive_of(facts.counts)
    whole = facts.fits["integer"] == facts.present and positive.isdigit()
    return Label(int(positive) if whole else positive, found[positive], facts.present, reason)


def _positive_of(counts: Sequence[tuple[str, int]]) -> tuple[str, str]:
    # a 1 says so only beside a 0: beside a 2 it is a number like any other
    words = POSITIVE_WORDS | ({"1", "1.0"} if counts[0][0] in {"0", "0.0"} or counts[-1][0] in {"0", "0.0"} else set())
    telling = [level for level, _ in counts if level.casefold() in words]
    return (telling[0], "its word says so") if len(telling) == 1 else (counts[-1][0], "it is the rarer class")


def _giveaways(
    connection: duckdb.DuckDBPyConnection, facts: Mapping[str, ColumnFacts], *, target: str, label: Label
) -> dict[str, str]:
    """Return the columns that tell the label in every row, with how: they are the label under another name."""
    kind = columns_of(connection, "from rows")[target]
    read = cast_sql(target, Column(type="integer" if isinstance(label.positive, int) else "category"), kind)
    told = f"cast({read} as varchar) = {text_literal(str(label.positive))}"
    found = {}
    for name, fact in facts.items():
        few = 1 < fact.levels + bool(fact.missing) <= min(FEW_LEVELS, label.rows / ROWS_PER_LEVEL)
        if name == target or fact.levels == 0:
            continue
        if fact.missing and _tells(connection, f"{quoted(name)} is null", told):
            found[name] = "it is there in one class only"
        elif few and _tells(connection, quoted(name), told):
            found[name] = "each of its values comes with one class only"
    return found


def _tells(connection: duckdb.DuckDBPyConnection, value: str, told: str) -> bool:
    """Return whether each level of a value comes with one class only, and there are several of them."""
    levels, mixed = one_row(
        connection,
        "select count(*), count(*) filter (where classes > 1) from ("
        f"select count(distinct told) as classes from (select {value} as v, {told} as told from rows) group by v)",
    )
    return bool(levels > 1 and mixed == 0)


def _decide(facts: ColumnFacts, wishes: Wishes, label: Label, giveaways: Mapping[str, str]) -> Decision:
    name = facts.name
    if name == wishes.target:
        whole = isinstance(label.positive, int)
        return Decision(
            name, label_column(facts, whole=whole), "label", f"{label.positive} is positive: {label.reason}"
        )
    if name == wishes.time:
        return Decision(name, moment_column(facts), "time", "it tells the moment of a row, as --time says")
    if name == wishes.unit:
        return Decision(name, Column(type="identifier", missing_share=0.0), "unit", "it tells whose row it is")
    return _decide_by_content(facts, giveaways)


def _decide_by_content(facts: ColumnFacts, giveaways: Mapping[str, str]) -> Decision:
    name = facts.name
    if name in giveaways:
        return Decision(name, Column(type="ignore"), "left out", f"it gives the label away: {giveaways[name]}")
    if reason := useless_reason(facts):
        return Decision(name, Column(type="ignore"), "left out", reason)
    if reason := identifier_reason(facts):
        return Decision(name, Column(type="identifier"), "left out", reason)
    column, reason = type_of(facts)
    role: Role = "left out" if column.type == "ignore" else "feature"
    return Decision(name, with_missing_share(column, facts), role, reason)


def _unit_of(
    connection: duckdb.DuckDBPyConnection,
    decisions: Sequence[Decision],
    facts: Mapping[str, ColumnFacts],
    wishes: Wishes,
) -> tuple[str, ...]:
    """Return the columns that name a row: the user's, the first identifier that does, or none, so the row's number."""
    if wishes.unit is None:
        unique = (each.name for each in decisions if facts[each.name].levels == facts[each.name].rows)
        names = {each.name for each in decisions if each.column.type == "identifier"}
        return tuple(name for name in unique if name in names)[:1]
    key = ", ".join(quoted(name) for name in (wishes.unit, wishes.time) if name)
    rows, units = one_row(connection, f"select count(*), count(distinct ({key})) from rows")
    return (wishes.unit,) if rows == units else (wishes.unit, ROW)


def _split_of(connection: duckdb.DuckDBPyConnection, facts: Mapping[str, ColumnFacts], wishes: Wishes) -> Split:
    if wishes.time is not None:
        return _split_by_time(connection, facts[wishes.time])
    if wishes.unit is not None and facts[wishes.unit].levels < facts[wishes.unit].rows:
        return GroupSplit(kind="group", column=wishes.unit)
    return RandomSplit(kind="random")


def _split_by_time(connection: duckdb.DuckDBPyConnection, facts: ColumnFacts) -> TimeSplit:
    """Return the split, in whole days, whose current part is the newest fifth of the rows and test the one before."""
    moment = cast_sql(facts.name, moment_column(facts), columns_of(connection, "from rows")[facts.name])
    first, test, current, last = one_row(
        connection,
        "select min(day), quantile_disc(day, 0.6), quantile_disc(day, 0.8), max(day) "
        f"from (select cast({moment} as date) as day from rows)",
    )
    current_days, test_days = max(1, (last - current).days), max(1, (current - test).days)
    if (last - first).days < current_days + test_days + 1:
        raise SourceError(
            f"the moments in {facts.name!r} reach from {first} to {last}, too short for three parts of whole days. "
            "Cure: bring more history, or leave --time out."
        )
    return TimeSplit(kind="time", current_days=current_days, test_days=test_days)


def _is_group(decision: Decision, facts: ColumnFacts) -> bool:
    words = words_of(decision.name)
    telling = bool(words & GROUP_WORDS) or any(pair <= words for pair in GROUP_PAIRS)
    few = decision.column.type in {"category", "boolean", "integer"} and facts.levels in GROUP_LEVELS
    return telling and few and decision.role == "feature"


def _with_role(decision: Decision, unit: Sequence[str], groups: Sequence[str]) -> Decision:
    if decision.name in groups:
        return replace(decision, role="group", reason=f"{decision.reason}; compared for fairness")
    if decision.name in unit:
        return replace(decision, role="unit", column=Column(type="identifier", missing_share=0.0))
    return decision


def _leak_notes(giveaways: Mapping[str, str]) -> list[str]:
    return [f"{name} is left out, for it gives the label away: {how}" for name, how in giveaways.items()]


def _label_notes(facts: ColumnFacts) -> list[str]:
    return [f"{facts.missing:,} rows have no {facts.name}: nothing is learnt from them"] if facts.missing else []


def _column_notes(facts: Mapping[str, ColumnFacts], decisions: Sequence[Decision], wishes: Wishes) -> list[str]:
    notes = []
    dates = [each.name for each in decisions if each.column.type in {"date", "timestamp"}]
    if dates and wishes.time is None:
        notes.append(f"{', '.join(dates)} could order the rows; --time {dates[0]} tests on what came after training")
    for name, fact in facts.items():
        if len(fact.formats) > 1:
            notes.append(
                f"{name}: day and month cannot be told apart; correct the format if {fact.formats[0]} is wrong"
            )
        if fact.with_signs > fact.present / 2 and fact.fits["number"] < fact.present:
            example = fact.counts[0][0]
            notes.append(f"{name} looks like numbers with signs, such as {example!r}; without them it reads as numbers")
    return notes
