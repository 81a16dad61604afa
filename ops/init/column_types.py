"""Choose type and rules of a column of an unknown table, with reasons."""

import math
import re
from collections.abc import Callable
from typing import Literal

from lab.core.errors import SourceError
from lab.dataset.tables import Column, Limits
from lab.prepare.casts import FALSE_WORDS, TRUE_WORDS
from ops.init.column_facts import ColumnFacts, words_of

IDENTIFIER_WORDS = frozenset({"id", "uuid", "guid", "identifier"})
NUMBERED = re.compile(r"(nr|nummer|number)[.\W_\d]*$", re.IGNORECASE)  # how the name of an identifier may end
PAIRS = [frozenset(pair) for pair in zip(TRUE_WORDS, FALSE_WORDS, strict=True)]

FEW_LEVELS = 20  # at most so many are listed as allowed
CODE_LEVELS = 50
ENOUGH_ROWS = 20  # with fewer rows, distinct values mean nothing
NEARLY_ALL = 0.95
OWN_TEXT_SHARE = 0.5
FREE_TEXT_SHARE, FREE_TEXT_LENGTH = 0.2, 60
IDENTIFIER_LENGTH = 40
SHOWN_LENGTH = 30
SLACK = 0.1
YEARS = (1500, 2200)
MISSING_SLACK = 0.05


def useless_reason(facts: ColumnFacts) -> str | None:
    """Return why a column carries no information, or None."""
    if facts.levels == 0:
        return "it is empty"
    if facts.levels == 1 and facts.missing == 0:
        level = facts.counts[0][0]
        return f"it is always {level if len(level) <= SHOWN_LENGTH else f'{level[: SHOWN_LENGTH - 1]}…'}"
    return None


def identifier_reason(facts: ColumnFacts) -> str | None:
    """Return why a column is an identifier, or None."""
    named = bool(words_of(facts.name) & IDENTIFIER_WORDS)
    whole = facts.fits["integer"] == facts.present
    code = _is_text(facts) and facts.with_blanks == 0 and facts.longest <= IDENTIFIER_LENGTH
    dense = whole and (facts.highest or 0.0) - (facts.lowest or 0.0) < 2 * facts.rows
    differs = facts.levels == facts.rows and (named or facts.rows >= ENOUGH_ROWS)
    numbered = NUMBERED.search(facts.name.strip()) is not None
    if differs and (code or dense or ((named or numbered) and whole)):
        return "it differs in every row"
    if named and (code or whole) and facts.levels > CODE_LEVELS:
        return f"its name says so, and it has {facts.levels:,} values"
    return None


def type_of(facts: ColumnFacts) -> tuple[Column, str]:
    """Return the type of a column, and why; `ignore` if its text differs in most rows."""
    if facts.fits["boolean"] == facts.present and frozenset(level.lower() for level, _ in facts.counts) in PAIRS:
        return Column(type="boolean"), " or ".join(sorted(level for level, _ in facts.counts))
    whole = facts.fits["integer"] == facts.present
    if facts.with_leading_zero or (whole and words_of(facts.name) & IDENTIFIER_WORDS):
        return _category(facts, "a code, not a quantity")
    if facts.formats or facts.fits["timestamp"] == facts.present:
        return moment_column(facts), f"dates as {facts.formats[0]}" if facts.formats else "dates"
    if whole:
        return _bounded("integer", facts), f"whole numbers, {_range(facts)}"
    if facts.fits["number"] == facts.present:
        return _bounded("number", facts), f"numbers, {_range(facts)}"
    return _nearly_numbers(facts) or _text(facts)


def label_column(facts: ColumnFacts, *, whole: bool) -> Column:
    """Return the contract of the target: no other classes, and no larger share of missing labels."""
    missing = _share_above(facts.missing / facts.rows) if facts.missing else 0.0
    if whole:
        low, high = int(facts.lowest or 0), int(facts.highest or 0)
        return Column(type="integer", minimum=low, maximum=high, missing_share=missing)
    levels = tuple(sorted(level for level, _ in facts.counts)) if facts.levels <= FEW_LEVELS else None
    return Column(type="category", allowed=levels, missing_share=missing)


def is_year(facts: ColumnFacts) -> bool:
    """Return whether a column holds years as text."""
    whole = facts.fits["integer"] == facts.present > 0 and facts.text
    return whole and YEARS[0] <= (facts.lowest or 0) and (facts.highest or 0) <= YEARS[1]


def moment_column(facts: ColumnFacts) -> Column:
    """Return the contract of a column of dates or times; refuse other content."""
    if not is_year(facts) and not facts.formats and (facts.fits["timestamp"] < facts.present or not facts.present):
        shown = repr(facts.counts[0][0]) if facts.counts else "nothing"
        raise SourceError(
            f"the column {facts.name!r} holds {shown}, expected dates or times for --time, such as 2024-12-31 or "
            "31.12.2024 18:00. Cure: write them like that, or name another column."
        )
    if not facts.formats and is_year(facts):
        return Column(type="date", format="%Y")
    form = facts.formats[0] if facts.formats else None
    return Column(type="timestamp" if facts.has_clock else "date", format=form)


def with_missing_share(column: Column, facts: ColumnFacts) -> Column:
    """Return the column with a limit for its share of missing values, slightly above the found share."""
    if column.type in {"ignore", "identifier"}:
        return column
    return column.model_copy(update={"missing_share": _share_above(facts.missing / facts.rows)})


def _is_text(facts: ColumnFacts) -> bool:
    return not facts.formats and max(facts.fits["number"], facts.fits["timestamp"]) < facts.present


def _nearly_numbers(facts: ColumnFacts) -> tuple[Column, str] | None:
    if facts.fits["number"] < NEARLY_ALL * facts.present:
        return None
    odd = facts.present - facts.fits["number"]
    column = Column(type="number", on_violation="set_missing", violation_share=_share_above(odd / facts.rows))
    return column, f"numbers, but for {odd:,} cells, which become missing"


def _text(facts: ColumnFacts) -> tuple[Column, str]:
    if facts.levels > max(CODE_LEVELS, OWN_TEXT_SHARE * facts.present):
        return Column(type="ignore", private=True), f"nearly every row has a different text ({facts.levels:,})"
    free = facts.longest > FREE_TEXT_LENGTH and facts.with_blanks > facts.present / 2
    if free and facts.levels > max(CODE_LEVELS, FREE_TEXT_SHARE * facts.present):
        return Column(type="ignore", private=True), f"free text, up to {facts.longest} characters long"
    return _category(facts, f"{facts.levels:,} levels" if facts.levels > 1 else "present or missing")


def _category(facts: ColumnFacts, reason: str) -> tuple[Column, str]:
    levels = tuple(sorted(level for level, _ in facts.counts)) if facts.levels <= FEW_LEVELS else None
    return Column(type="category", warn=Limits(allowed=levels)), reason


def _bounded(kind: Literal["integer", "number"], facts: ColumnFacts) -> Column:
    low, high = facts.lowest or 0.0, facts.highest or 0.0
    slack = SLACK * (high - low)
    minimum = 0 if 0 <= low <= slack else _outward(low - slack, math.floor, whole=kind == "integer")
    maximum = _outward(high + slack, math.ceil, whole=kind == "integer")
    return Column(type=kind, warn=Limits(minimum=minimum, maximum=maximum))


def _range(facts: ColumnFacts) -> str:
    return f"{facts.lowest:g} to {facts.highest:g}"


def _outward(value: float, cut: Callable[[float], int], *, whole: bool) -> int | float:
    """Return the bound rounded outward to two digits; an integer from 10 on.

    >>> _outward(1234.5, math.ceil, whole=False), _outward(-0.123, math.floor, whole=False)
    (1300, -0.13)
    """
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 1.0
    if whole or step >= 1:
        return int(cut(value / max(1.0, step)) * max(1.0, step))
    return float(f"{cut(value / step) * step:.6g}")


def _share_above(share: float) -> float:
    return min(1.0, math.ceil(round(100 * (share + MISSING_SLACK), 6)) / 100)
