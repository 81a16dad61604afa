"""Judge, column by column, whether the current rows still look like the reference rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from lab.columns import numbers_of
from lab.errors import SourceError
from lab.schema import FeatureSchema
from lab.stats.corrections import benjamini_hochberg
from lab.stats.shifts import Shift, measure_levels, measure_numbers

Kind = Literal["number", "boolean", "category"]
Word = Literal["drifted", "slight", "unclear", "stable", "untestable"]

CURE = "Cure: dvc repro featurize"


@dataclass(frozen=True)
class Verdict:
    """What a column's shift means: significant is more than noise, material is large enough to matter.

    The word is `drifted` for both, `slight` for significant only, `unclear` for material only, `stable` for neither.
    `measure` is the size that is largest against its threshold, and `effect` its value.
    """

    word: Word
    q_value: float | None
    measure: str | None
    effect: float | None
    times_threshold: float | None
    shift: Shift


def measure_columns(windows: Mapping[str, pa.Table], schema: FeatureSchema) -> dict[str, Shift]:
    """Return how each feature and group column moved from the first window to the second."""
    names = sorted({*schema.features, *schema.groups})
    _check_columns(windows, names)
    reference, current = windows.values()
    return {
        name: _measure(reference[name], current[name], kind=_kind_of(name, schema, reference.schema)) for name in names
    }


def judge(shifts: Mapping[str, Shift], *, significance: float, material: Mapping[str, float]) -> dict[str, Verdict]:
    """Return a verdict for each column; significance is held over all of them together (Benjamini–Hochberg)."""
    testable = {name: shift.p_value for name, shift in shifts.items() if shift.p_value is not None}
    q_values = dict(zip(testable, benjamini_hochberg(list(testable.values())), strict=True))
    return {
        name: _verdict(shift, q_values.get(name), significance=significance, material=material)
        for name, shift in shifts.items()
    }


def drifted_share(verdicts: Mapping[str, Verdict]) -> float | None:
    """Return the share of drifted columns among those that can be tested; None when none can."""
    words = [verdict.word for verdict in verdicts.values() if verdict.word != "untestable"]
    return words.count("drifted") / len(words) if words else None


def summary(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """Return the counts of each verdict, the share of drifted columns, and one short verdict per column.

    The verdicts are a list, which DVC does not take apart: as a mapping they would be four metrics for each column.
    """
    words = [verdict.word for verdict in verdicts.values()]
    return {
        "columns": {word: words.count(word) for word in ("drifted", "slight", "unclear", "stable", "untestable")},
        "drifted_share": drifted_share(verdicts),
        "verdicts": [{"column": name, **short(verdict)} for name, verdict in verdicts.items()],
    }


def short(verdict: Verdict) -> dict[str, Any]:
    """Return the four facts of a verdict that a metrics file has room for."""
    return {
        "verdict": verdict.word,
        "q_value": verdict.q_value,
        "measure": verdict.measure,
        "effect": verdict.effect,
    }


def column_rows(verdicts: Mapping[str, Verdict], material: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return one row per column with every size, for plots/drift/columns.csv; the largest change first."""
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
    """Return one row per column and bin, for plots/drift/bins.csv: counts and shares, never rows of data."""
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


def _check_columns(windows: Mapping[str, pa.Table], names: Sequence[str]) -> None:
    for window, table in windows.items():
        if absent := [name for name in names if name not in table.column_names]:
            raise SourceError(f"{window} lacks the columns {absent}; it has {table.column_names}. {CURE}")
    (first, reference), (second, current) = windows.items()
    for name in names:
        types = reference.schema.field(name).type, current.schema.field(name).type
        if types[0] != types[1]:
            raise SourceError(f"{name} is {types[0]} in {first} and {types[1]} in {second}, expected one type. {CURE}")


def _kind_of(name: str, schema: FeatureSchema, types: pa.Schema) -> Kind:
    if name in schema.features:
        return schema.features[name].kind
    numeric = pa.types.is_integer(types.field(name).type) or pa.types.is_floating(types.field(name).type)
    return "number" if numeric else "category"


def _measure(reference: pa.ChunkedArray, current: pa.ChunkedArray, *, kind: Kind) -> Shift:
    if kind == "number":
        return measure_numbers(numbers_of(reference), numbers_of(current))
    return _measure_levels(reference, current)


def _measure_levels(reference: pa.ChunkedArray, current: pa.ChunkedArray) -> Shift:
    columns = [column.cast(pa.string()) for column in (reference, current)]
    both = pa.chunked_array([*columns[0].chunks, *columns[1].chunks], type=pa.string())
    encoded = both.combine_chunks().dictionary_encode()
    levels = encoded.dictionary.to_pylist()
    order = sorted(range(len(levels)), key=levels.__getitem__)
    codes = encoded.indices.fill_null(len(levels)).to_numpy()
    counts = [np.bincount(part, minlength=len(levels) + 1) for part in np.split(codes, [len(reference)])]
    missing = int(counts[0][-1]), int(counts[1][-1])
    return measure_levels(counts[0][order], counts[1][order], names=[levels[place] for place in order], missing=missing)


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
