"""Render the table of a sweep as text."""

from collections.abc import Iterable, Mapping, Sequence

from lab.pages.markdown import counted, interval, number, signed
from ops.sweep.judge import Row, Table
from ops.text_table import aligned

HEAD = (
    "",
    "challenger",
    "out of fold",
    "ROC AUC on test",
    "95 % interval",
    "less the base",
    "95 % interval",
    "is",
    "gates failed",
)


def to_text(table: Table) -> str:
    """Return the table, best first, with notes on how to read it."""
    keys = list(dict.fromkeys(key for row in table.rows for key in row.settings))
    short = short_names(keys)
    head = [HEAD[0], *(short[key] for key in keys), *HEAD[1:]]
    good = [row for row in table.rows if not row.failed]
    lines = [head, _line(table.base, keys), *(_line(row, keys) for row in good)]
    return "\n".join([aligned(lines), *_failures(table), "", *_advice(good)])


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the shortest unique suffix of each dotted name.

    >>> list(short_names(["train.forest.settings.trees", "train.boosting.settings.trees", "seed"]).values())
    ['forest.settings.trees', 'boosting.settings.trees', 'seed']
    """
    found = {}
    for key in keys:
        parts = key.split(".")
        ends = [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]
        others = [other for other in keys if other != key]
        found[key] = next((end for end in ends if not any(_ends_with(other, end) for other in others)), key)
    return found


def _ends_with(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")


def _line(row: Row, keys: Iterable[str]) -> list[str]:
    return [
        row.name,
        *(row.settings.get(key, "") for key in keys),
        row.challenger,
        number(row.out_of_fold),
        number(row.score),
        interval(row.low, row.high),
        signed(row.difference),
        interval(row.difference_low, row.difference_high),
        row.word,
        ", ".join(row.failed_gates),
    ]


def _failures(table: Table) -> list[str]:
    failed = [row for row in table.rows if row.failed]
    return ["", "Failed:", *(f"  {row.name} ({_set(row.settings)}): {row.failed}" for row in failed)] if failed else []


def _set(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items())


def _advice(rows: Sequence[Row]) -> list[str]:
    if len(rows) < 2:
        return []
    compared = sum(row.p_value is not None for row in rows)
    by_chance = f"The best of {len(rows)} is partly chosen by chance: its score on these test rows is optimistic."
    corrected = f"The verdicts are corrected by Holm over {counted(compared, 'difference')}"
    return [
        f"{by_chance} {corrected}; the intervals are not corrected.",
        "Choose by the out-of-fold score of the training rows; use the test window for the chosen one only.",
    ]
