"""Attribute drift to columns (shift times importance) and to segments."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lab.core.errors import SourceError
from lab.core.result_files import read_result
from lab.predictions.columns import numbers_of
from lab.reference.columns import Verdict, compare_level_counts, counts_of, verdicts_of
from lab.reference.reference import Reference
from lab.reference.rows import inflations_of
from lab.stats.shift.shifts import Shift, measure_numbers

IMPORTANCE = Path("metrics/explain.json")
MODEL = "challenger"
COLUMNS_SHOWN = 5
SEGMENTS_SHOWN = 10
SMALLEST_SEGMENT = 50


def read_importance(path: Path = IMPORTANCE) -> dict[str, float]:
    """Return the importance of each feature for the challenger, from the stage explain."""
    try:
        lines = read_result(path)[MODEL]["importance"]
        return {line["feature"]: float(line["mean_absolute_contribution"]) for line in lines}
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise SourceError(
            f"{path} has no feature importance: found {error!r}, expected the output of the stage explain. "
            "Cure: dvc repro explain"
        ) from error


def importance_shares(importance: Mapping[str, float], columns: Sequence[str]) -> dict[str, float]:
    """Return each column's share of the importance, 0 for other columns; equal shares when none is known."""
    total = sum(importance.get(name, 0.0) for name in columns)
    if total <= 0:
        return {name: 1 / len(columns) for name in columns}
    return {name: importance.get(name, 0.0) / total for name in columns}


def rank_moves(verdicts: Mapping[str, Verdict], shares: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the columns with a significant shift, ranked by shift (in multiples of its threshold) times importance."""
    lines = [
        {
            "column": name,
            "verdict": verdict.word,
            "times_threshold": verdict.times_threshold,
            "importance": shares[name],
            "weight": (verdict.times_threshold or 0.0) * shares[name],
        }
        for name, verdict in verdicts.items()
        if verdict.word in {"drifted", "slight"}
    ]
    return sorted(lines, key=lambda line: (-line["weight"], line["column"]))


def drifted_weight(verdicts: Mapping[str, Verdict], shares: Mapping[str, float]) -> float | None:
    """Return the share of the importance of drifted columns; None when no column can be tested."""
    testable = [name for name, verdict in verdicts.items() if verdict.word != "untestable"]
    total = sum(shares[name] for name in testable)
    if total <= 0:
        return None
    return sum(shares[name] for name in testable if verdicts[name].word == "drifted") / total


def find_segments(
    reference: Reference,
    batch: pa.Table,
    names: Sequence[str],
    *,
    significance: float,
    material: Mapping[str, float],
) -> list[dict[str, Any]]:
    """Return the groups within which columns drifted, the largest change first.

    The batch is compared with the sample of rows in the reference; the false discovery rate is controlled over all
    columns and groups.
    """
    shifts = {
        (name, group, level): shift
        for group in reference.facts.inputs.groups
        if group in batch.column_names
        for level in _levels(reference.rows[group])
        for name, shift in _shifts_within(reference, batch, group, level, [name for name in names if name != group])
    }
    verdicts = verdicts_of(
        {str(index): shift for index, shift in enumerate(shifts.values())}, significance=significance, material=material
    )
    lines: list[dict[str, Any]] = [
        {
            "column": name,
            "group": group,
            "level": level,
            "reference_rows": shift.rows[0],
            "current_rows": shift.rows[1],
            "measure": verdict.measure,
            "effect": verdict.effect,
            "times_threshold": verdict.times_threshold,
            "q_value": verdict.q_value,
        }
        for ((name, group, level), shift), verdict in zip(shifts.items(), verdicts.values(), strict=True)
        if verdict.word == "drifted"
    ]
    ranked = sorted(lines, key=_largest_first)
    return ranked[:SEGMENTS_SHOWN]


def _largest_first(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return (-line["times_threshold"], line["column"], line["group"], line["level"])


def _levels(column: pa.ChunkedArray) -> list[str]:
    counts, _ = counts_of(column)
    return sorted(level for level, count in counts.items() if count >= SMALLEST_SEGMENT)


def _shifts_within(
    reference: Reference, batch: pa.Table, group: str, level: str, names: Sequence[str]
) -> list[tuple[str, Shift]]:
    sides = [table.filter(pc.equal(table[group].cast(pa.string()), level)) for table in (reference.rows, batch)]
    if min(side.num_rows for side in sides) < SMALLEST_SEGMENT:
        return []
    kinds = {name: "number" if reference.facts.columns[name].kind == "number" else "category" for name in names}
    factors = [inflations_of(side, kinds, reference.facts.inputs) for side in sides]  # type: ignore[arg-type]
    return [
        (name, _shift(sides[0][name], sides[1][name], kinds[name], (factors[0][name], factors[1][name])))
        for name in names
    ]


def _shift(reference: pa.ChunkedArray, current: pa.ChunkedArray, kind: str, inflation: tuple[float, float]) -> Shift:
    if kind == "number":
        return measure_numbers(numbers_of(reference), numbers_of(current), inflation=inflation)
    return compare_level_counts(*counts_of(reference), *counts_of(current), inflation=inflation)
