"""Test every column of a batch for drift from the reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from lab.predictions.columns import numbers_of
from lab.reference.reference import Reference
from lab.stats.core.corrections import benjamini_hochberg
from lab.stats.shift.dependence import Inflation
from lab.stats.shift.shifts import Shift, measure_against, measure_levels

Word = Literal["drifted", "slight", "unclear", "stable", "untestable"]
WORDS: tuple[Word, ...] = ("drifted", "slight", "unclear", "stable", "untestable")


@dataclass(frozen=True)
class Verdict:
    """The verdict on a column: `drifted` when the shift is significant and material.

    `slight` is significant only, `unclear` material only, `stable` neither. `measure` is the size that is largest
    relative to its threshold, `effect` its value.
    """

    word: Word
    q_value: float | None
    measure: str | None
    effect: float | None
    times_threshold: float | None
    shift: Shift


def measure_columns(reference: Reference, batch: pa.Table, inflations: Mapping[str, Inflation]) -> dict[str, Shift]:
    """Return the shift of each column that has a design effect."""
    return {
        name: measure_column(reference, name, batch[name], inflation=inflations[name]) for name in sorted(inflations)
    }


def measure_column(reference: Reference, name: str, column: pa.ChunkedArray, *, inflation: Inflation) -> Shift:
    """Return the shift of one column from the reference."""
    facts = reference.facts.columns[name]
    if facts.kind == "number":
        return measure_against(reference.numbers.get(name), facts.missing, numbers_of(column), inflation=inflation)
    return compare_level_counts(dict(reference.levels[name]), facts.missing, *counts_of(column), inflation=inflation)


def counts_of(column: pa.ChunkedArray) -> tuple[dict[str, int], int]:
    """Return the rows of each level, and the rows without a value."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes, minlength=len(encoded.dictionary) + 1).tolist()
    return dict(zip(encoded.dictionary.to_pylist(), counts[:-1], strict=True)), counts[-1]


def compare_level_counts(
    reference: Mapping[str, int], absent: int, current: Mapping[str, int], missing: int, *, inflation: Inflation
) -> Shift:
    """Return the shift between two samples of counted levels."""
    names = sorted({*reference, *current})
    counts = [np.array([side.get(name, 0) for name in names], dtype=np.int64) for side in (reference, current)]
    return measure_levels(*counts, names=names, missing=(absent, missing), inflation=inflation)


def verdicts_of(
    shifts: Mapping[str, Shift], *, significance: float, material: Mapping[str, float]
) -> dict[str, Verdict]:
    """Return a verdict for each column, with the false discovery rate controlled over all (Benjamini–Hochberg)."""
    testable = {name: shift.p_value for name, shift in shifts.items() if shift.p_value is not None}
    q_values = dict(zip(testable, benjamini_hochberg(list(testable.values())), strict=True))
    return {
        name: _verdict(shift, q_values.get(name), significance=significance, material=material)
        for name, shift in shifts.items()
    }


def drifted_share(verdicts: Mapping[str, Verdict]) -> float | None:
    """Return the share of drifted columns among the testable ones; None without a testable column."""
    words = [verdict.word for verdict in verdicts.values() if verdict.word != "untestable"]
    return words.count("drifted") / len(words) if words else None


def summary(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """Return the counts of each verdict, the share of drifted columns, and one short verdict per column.

    The verdicts are a list, because DVC would show a mapping as four metrics per column.
    """
    words = [verdict.word for verdict in verdicts.values()]
    return {
        "columns": {word: words.count(word) for word in WORDS},
        "drifted_share": drifted_share(verdicts),
        "verdicts": [{"column": name, **short(verdict)} for name, verdict in verdicts.items()],
    }


def short(verdict: Verdict) -> dict[str, Any]:
    """Return the part of a verdict that goes into a metrics file."""
    return {
        "verdict": verdict.word,
        "q_value": verdict.q_value,
        "measure": verdict.measure,
        "effect": verdict.effect,
    }


def column_rows(verdicts: Mapping[str, Verdict], material: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return one row per column with all sizes, the largest change first, for plots/drift/columns.csv."""
    rows = [
        {
            "column": name,
            "times_threshold": verdict.times_threshold,
            **short(verdict),
            "p_value": verdict.shift.p_value,
            **{measure: verdict.shift.sizes.get(measure) for measure in [*material, "hellinger", "wasserstein_robust"]},
            "remarks": "; ".join(verdict.shift.remarks),
        }
        for name, verdict in verdicts.items()
    ]
    return sorted(rows, key=lambda row: (-(row["times_threshold"] or 0), row["column"]))


def bin_rows(verdicts: Mapping[str, Verdict]) -> list[dict[str, Any]]:
    """Return one row per column and bin, for plots/drift/bins.csv."""
    return [
        {
            "column": name,
            "bin": part.name,
            "reference_share": _share(part.reference, verdict.shift.rows[0]),
            "current_share": _share(part.current, verdict.shift.rows[1]),
            "reference_rows": part.reference,
            "current_rows": part.current,
        }
        for name, verdict in verdicts.items()
        for part in verdict.shift.bins
    ]


def _verdict(shift: Shift, q_value: float | None, *, significance: float, material: Mapping[str, float]) -> Verdict:
    if q_value is None:
        return Verdict("untestable", None, None, None, None, shift)
    ratios = {measure: shift.sizes[measure] / limit for measure, limit in material.items() if measure in shift.sizes}
    measure = max(ratios, key=ratios.__getitem__)
    word = _word(significant=q_value < significance, material=ratios[measure] >= 1)
    return Verdict(word, q_value, measure, shift.sizes[measure], ratios[measure], shift)


def _word(*, significant: bool, material: bool) -> Word:
    if significant:
        return "drifted" if material else "slight"
    return "unclear" if material else "stable"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
