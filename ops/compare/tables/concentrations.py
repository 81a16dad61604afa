"""Find the levels at which changed rows concentrate."""

from collections.abc import Mapping
from dataclasses import replace

from lab.stats.core.contingency import compare_shares
from lab.stats.core.corrections import holm
from ops.compare.tables.table_change import Concentration, RowKind

SIGNIFICANCE = 0.01
LEAST_DIFFERENCE = 0.1
MOST = 2

Levels = Mapping[str | None, int]


def concentrations(
    unchanged: Mapping[str, Levels], others: Mapping[RowKind, Mapping[str, Levels]]
) -> tuple[Concentration, ...]:
    """Return the levels whose share differs most from that among unchanged rows, at most two, each of another column.

    Takes the rows of each level by column. Every level of every column is tested, and the p-values are corrected for
    all of them (Holm). Rows of one unit are not independent, so a least difference counts beside significance.

    >>> unchanged = {"country": {"DE": 300, "FR": 700}}
    >>> [each.level for each in concentrations(unchanged, {"changed": {"country": {"DE": 98, "FR": 2}}})]
    ['DE']
    """
    tested = [
        found
        for rows, columns in others.items()
        for column, levels in columns.items()
        for found in _tested(rows, column, levels, unchanged[column])
    ]
    corrected = holm([each.p_adjusted for each in tested])
    kept = [
        replace(each, p_adjusted=p)
        for each, p in zip(tested, corrected, strict=True)
        if p < SIGNIFICANCE and each.share - each.share_of_unchanged >= LEAST_DIFFERENCE
    ]
    largest: dict[str, Concentration] = {}
    for each in sorted(kept, key=lambda each: (each.share_of_unchanged - each.share, each.rows, str(each.level))):
        largest.setdefault(each.column, each)
    return tuple(largest.values())[:MOST]


def _tested(rows: RowKind, column: str, levels: Levels, unchanged: Levels) -> list[Concentration]:
    """Return each level with its p-value before correction; nothing where one side has no rows."""
    total, total_unchanged = sum(levels.values()), sum(unchanged.values())
    found = []
    for level in levels:
        test = compare_shares(reference=(unchanged.get(level, 0), total_unchanged), current=(levels[level], total))
        if test.p_value is not None:
            found.append(Concentration(rows, column, level, test.current, test.reference, test.p_value))
    return found
