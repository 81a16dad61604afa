"""Save and load the drift reference, a folder of bounded size.

It contains the distribution of each numeric column (thinned beyond a number of points), the counts of levels, and a
bounded sample of rows, which keeps the joint distribution.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import SourceError
from lab.core.result_files import write_json
from lab.core.stage_files import read_stage_file
from lab.core.tables import read_table, write_table
from lab.reference.facts import ReferenceFacts
from lab.stats.shift.distributions import Distribution

REFERENCE = Path("models/reference")
FACTS, NUMBERS, LEVELS, ROWS, FOREST = (
    "reference.json",
    "numbers.parquet",
    "levels.parquet",
    "rows.parquet",
    "anomalies.skops",
)
CURE = "Cure: dvc repro reference"


@dataclass(frozen=True)
class Reference:
    """The data that batches are compared with; `forest` is the content of the anomaly detector's file."""

    facts: ReferenceFacts
    numbers: Mapping[str, Distribution]
    levels: Mapping[str, Mapping[str, int]]
    rows: pa.Table
    forest: bytes | None


def save_reference(reference: Reference, folder: Path) -> None:
    """Write a reference to an existing folder."""
    write_table(_table_of_numbers(reference.numbers), folder / NUMBERS)
    write_table(_table_of_levels(reference.levels), folder / LEVELS)
    write_table(reference.rows, folder / ROWS)
    if reference.forest is not None:
        with replaced_file(folder / FOREST) as partial:
            partial.write_bytes(reference.forest)
    files = {path.name: _fingerprint(path) for path in sorted(folder.iterdir()) if path.name != FACTS}
    write_json(reference.facts.model_copy(update={"files": files}).model_dump(mode="json"), folder / FACTS)


def load_reference(folder: Path = REFERENCE) -> Reference:
    """Return the reference in a folder after checking the hash of each file."""
    facts = read_stage_file(folder / FACTS, kind=ReferenceFacts, stage="reference")
    for name, expected in facts.files.items():
        if not (folder / name).exists() or _fingerprint(folder / name) != expected:
            raise SourceError(f"{folder / name} is damaged or missing: {folder / FACTS} has another hash. {CURE}")
    return Reference(
        facts=facts,
        numbers=_numbers_in(read_table(folder / NUMBERS), facts),
        levels=_levels_in(read_table(folder / LEVELS), facts),
        rows=read_table(folder / ROWS),
        forest=(folder / FOREST).read_bytes() if FOREST in facts.files else None,
    )


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _table_of_numbers(numbers: Mapping[str, Distribution]) -> pa.Table:
    parts = [
        {"column": [name] * len(found.values), "value": found.values, "below": found.below}
        for name, found in sorted(numbers.items())
    ]
    schema = pa.schema([("column", pa.string()), ("value", pa.float64()), ("below", pa.int64())])
    return pa.concat_tables([pa.table(part, schema=schema) for part in parts] or [pa.Table.from_batches([], schema)])


def _table_of_levels(levels: Mapping[str, Mapping[str, int]]) -> pa.Table:
    lines = [(name, level, count) for name, counts in sorted(levels.items()) for level, count in sorted(counts.items())]
    schema = pa.schema([("column", pa.string()), ("level", pa.string()), ("count", pa.int64())])
    columns: list[Any] = [list(column) for column in zip(*lines, strict=True)] or [[], [], []]
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _numbers_in(table: pa.Table, facts: ReferenceFacts) -> dict[str, Distribution]:
    names = table["column"].to_numpy(zero_copy_only=False)
    values, below = table["value"].to_numpy(), table["below"].to_numpy()
    found = {}
    for name in sorted(set(names)):
        start, end = np.searchsorted(names, name, side="left"), np.searchsorted(names, name, side="right")
        column = facts.columns[name]
        found[name] = Distribution(values[start:end], below[start:end], column.spread, column.exact)
    return found


def _levels_in(table: pa.Table, facts: ReferenceFacts) -> dict[str, dict[str, int]]:
    found = {}
    for name in sorted(name for name, column in facts.columns.items() if column.kind != "number"):
        part = table.filter(pc.equal(table["column"], name))
        found[name] = dict(zip(part["level"].to_pylist(), part["count"].to_pylist(), strict=True))
    return found
