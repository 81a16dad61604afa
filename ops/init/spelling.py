"""Detect missing marks, the decimal mark and clashing names of a text table."""

from collections.abc import Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from lab.dataset.features import RESERVED

COMMA_NUMBER = r"^[+-]?\d*,\d+$"
WHOLE_NUMBER = r"^[+-]?\d+$"
THOUSANDS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+$"


def marks_in(rows: pa.Table, marks: Sequence[str]) -> dict[str, int]:
    """Return the number of cells that equal each mark, for marks that occur."""
    texts = [column for column in rows.columns if pa.types.is_string(column.type)]
    counts = {mark: sum(pc.sum(pc.equal(column, mark)).as_py() or 0 for column in texts) for mark in marks}
    return {mark: count for mark, count in counts.items() if count}


def decimal_of(rows: pa.Table, marks: Sequence[str]) -> Literal[".", ","]:
    """Return the decimal mark: a comma if a text column has only numbers with a comma, and missing marks."""
    missing = pa.array(marks, pa.string())
    texts = [pc.unique(column.drop_null()) for column in rows.columns if pa.types.is_string(column.type)]
    present = (values.filter(pc.invert(pc.is_in(values, value_set=missing))) for values in texts)
    return "," if any(_are_decimal_commas(values) for values in present) else "."


def free_names(names: Sequence[str], *, keep: Sequence[str] = ()) -> dict[str, str]:
    """Return new names for columns that differ in case only, or clash with names of the feature tables.

    Names in `keep` may clash: the label may be named label.

    >>> free_names(["Age", "age", "split", "city"])
    {'age': 'age_column', 'split': 'split_column'}
    """
    taken = {name.casefold() for name in names} | RESERVED
    seen: set[str] = set()
    renamed = {}
    for name in names:
        if name.casefold() in seen or (name.casefold() in RESERVED and name not in keep):
            renamed[name] = _free_name(name, taken)
            taken.add(renamed[name].casefold())
        seen.add(name.casefold())
    return renamed


def _free_name(name: str, taken: set[str]) -> str:
    free = f"{name}_column"
    while free.casefold() in taken:
        free += "_"
    return free


def _are_decimal_commas(values: pa.Array) -> bool:
    commas = pc.match_substring_regex(values, COMMA_NUMBER)
    numbers = pc.or_(commas, pc.match_substring_regex(values, WHOLE_NUMBER))
    decimals = pc.and_(commas, pc.invert(pc.match_substring_regex(values, THOUSANDS)))
    return len(values) > 0 and bool(pc.all(numbers).as_py()) and bool(pc.any(decimals).as_py())
