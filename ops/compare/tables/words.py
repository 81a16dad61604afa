"""Say in words what differs in a raw table."""

from collections.abc import Callable, Sequence

from lab.pages.markdown import NOTHING, count, counted, listed, percent
from ops.compare.changes import Change, in_one_line
from ops.compare.tables.row_gate import RowGate
from ops.compare.tables.table_change import ColumnChange, Concentration, Example, TableChange

NAMED = 8

Write = Callable[[str], str]


def counts_in_words(change: TableChange) -> str:
    """Return how many rows a table has in base and head, and how many differ."""
    if change.kind != "changed":
        return f"the table is {change.kind}: {counted(change.base_rows or change.head_rows, 'row')}"
    changed = f"{count(change.changed)} changed, " if change.matched_by else ""
    return (
        f"{count(change.base_rows)} → {counted(change.head_rows, 'row')}: {changed}"
        f"{count(change.only_in_base)} only in base, {count(change.only_in_head)} only in head"
    )


def gate_in_words(change: TableChange, gate: RowGate) -> str:
    """Return the share of rows that changed or were removed, its limit and the verdict."""
    if gate.most_rows_changed is None:
        return f"{percent(change.share)} changed or removed, not judged: {gate.reason}"
    limit = f"at most {percent(gate.most_rows_changed)}"
    return f"{percent(change.share)} changed or removed, {limit}: {gate.verdict(change)}"


def notes_in_words(change: TableChange, write: Write = str) -> list[str]:
    """Return the sentences on a table beside its counts: matching, columns, contract, where changes concentrate."""
    found = [
        *([change.unmatched] if change.unmatched else []),
        *_listed("columns", change.schema, write),
        *_listed("contract", change.contract, write),
        *(_concentration(each, write) for each in change.concentrations),
    ]
    return [f"{each[:1].upper()}{each[1:]}." for each in found]


def examples_in_words(column: ColumnChange, write: Write = str) -> str:
    """Return the examples of a column, each with the row's key."""
    if column.private:
        return "private: no value is shown"
    return ", ".join(dict.fromkeys(_example(each, write) for each in column.examples)) or NOTHING


def _example(each: Example, write: Write) -> str:
    change = f"{_value(each.old, write)} → {_value(each.new, write)}"
    return f"{change} ({write(', '.join(each.key))})" if each.key else change


def _value(value: str | None, write: Write) -> str:
    return "missing" if value is None else write(value)


def _listed(what: str, changes: Sequence[Change], write: Write) -> list[str]:
    shown, more = [_change(each, write) for each in changes[:NAMED]], len(changes) - NAMED
    return [f"{what}: {listed([*shown, *([f'{count(more)} more'] if more > 0 else [])])}"] if changes else []


def _change(each: Change, write: Write) -> str:
    if each.kind == "changed":
        return f"{write(each.name)} {write(in_one_line(each.old))} → {write(in_one_line(each.new))}"
    return f"{write(each.name)} {each.kind}"


def _concentration(each: Concentration, write: Write) -> str:
    kind = "changed rows" if each.rows == "changed" else f"rows {each.rows}"
    level = f"lack {write(each.column)}" if each.level is None else f"have {write(f'{each.column} = {each.level}')}"
    return (
        f"{percent(each.share)} of the {kind} {level}, against {percent(each.share_of_unchanged)} of the unchanged rows"
    )
