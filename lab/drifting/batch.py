"""Read a batch of rows from Parquet, CSV or a prediction log, and hold it to the columns that the reference has."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lab.columns import numbers_of
from lab.drifting.reference import Reference
from lab.drifting.rows import judged_columns, keys_in, scored_models
from lab.errors import SourceError
from lab.predictions import LABEL, score_column
from lab.schema import FeatureSchema
from lab.tables import read_table

SERVED = "champion"  # whose score a prediction log holds, when it says no more than "score"
FEATURES_KEY = "features"
TIMES = ("moment", "time", "timestamp")
MISSING_WORDS = ["", "NA", "NaN", "nan", "null", "None"]
TRUTHS = {"true": True, "1": True, "false": False, "0": False}
CURE = "Cure: bring the columns of data/features/schema.json, with the types that they have there."


def read_batch(path: Path, reference: Reference) -> pa.Table:
    """Return the rows of a file by its ending: .parquet, .csv, or .jsonl (a prediction log), checked."""
    readers: dict[str, Callable[[Path], pa.Table]] = {
        ".parquet": read_table,
        ".pq": read_table,
        ".csv": _read_csv,
        ".jsonl": _read_log,
        ".ndjson": _read_log,
    }
    if not path.is_file():
        raise SourceError(f"{path} is missing, expected a file of rows. Cure: check the path.")
    if path.suffix not in readers:
        raise SourceError(f"{path} ends with {path.suffix!r}, expected one of {sorted(readers)}. Cure: convert it.")
    table = _renamed(readers[path.suffix](path), reference.facts.inputs)
    return checked_batch(table, reference, name=str(path), cure=CURE)


def checked_batch(table: pa.Table, reference: Reference, *, name: str, cure: str) -> pa.Table:
    """Return the columns that are judged, typed as the reference's; what cannot be is refused.

    Every feature must be there. Groups that are no features, identifiers, moments, labels and scores may be absent:
    what needs them is then left out of the judgement, with a reason.
    """
    schema = reference.facts.inputs
    if absent := [column for column in sorted(schema.features) if column not in table.column_names]:
        raise SourceError(f"{name} lacks the columns {absent}; it has {table.column_names}. {cure}")
    known = {column: facts.type for column, facts in reference.facts.columns.items()} | reference.facts.units
    types = {column: pa.type_for_alias(kind) for column, kind in known.items()}
    wanted = [*keys_in(table, schema), *judged_columns(schema), LABEL, *types]
    kept = [column for column in dict.fromkeys(wanted) if column in table.column_names]
    columns = {}
    for column in kept:
        if column == schema.moment:
            columns[column] = _as_moments(table[column], column, name)
        elif column in types:
            columns[column] = _as_type(table[column], types[column], column, (reference.facts.window, name, cure))
        else:
            columns[column] = _as_number(table[column], name) if column == LABEL else table[column]
    batch = pa.table(columns)
    _check_scores(batch, name)
    _check_labels(batch, name)
    _check_identifiers(batch, schema, name)
    return batch


def _renamed(table: pa.Table, schema: FeatureSchema) -> pa.Table:
    """Return the table with a log's own words for the moment and the score put into the house's."""
    names = list(table.column_names)
    if "score" in names and score_column(SERVED) not in names:
        names[names.index("score")] = score_column(SERVED)
    if schema.moment and schema.moment not in names:
        found = next((word for word in TIMES if word in names), None)
        names = [schema.moment if word == found else word for word in names]
    return table.rename_columns(names)


def _read_csv(path: Path) -> pa.Table:
    from pyarrow import csv  # noqa: PLC0415 - only where there is one

    try:
        with path.open(encoding="utf-8") as stream:
            names = stream.readline().rstrip("\r\n").replace('"', "").split(",")
        text = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=MISSING_WORDS, strings_can_be_null=True
        )
        return csv.read_csv(path, convert_options=text)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as CSV: {error}. Cure: commas, a header, UTF-8.") from error


def _read_log(path: Path) -> pa.Table:
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [_line_of(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]
    names = sorted({name for row in rows for name in row})
    return pa.table({name: _text_of([row.get(name) for row in rows]) for name in names})


def _line_of(line: str, where: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
        nested = content.pop(FEATURES_KEY, {})
        flat: dict[str, Any] = {**content, **nested}
    except (ValueError, AttributeError, TypeError) as error:
        raise SourceError(
            f"{where} is not a prediction: {error}. Expected one JSON object a line, its features in it or under "
            f"{FEATURES_KEY!r}. Cure: leave the line out."
        ) from error
    return flat


def _text_of(values: Sequence[Any]) -> pa.Array:
    return pa.array([None if value is None else _written(value) for value in values], pa.string())


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else repr(value)


def _as_type(column: pa.ChunkedArray, expected: pa.DataType, name: str, words: tuple[str, str, str]) -> pa.ChunkedArray:
    window, where, cure = words
    found = column.type
    if pa.types.is_dictionary(found):
        column, found = column.cast(found.value_type), found.value_type
    if found == expected:
        return column
    try:
        if pa.types.is_null(found) or pa.types.is_large_string(found):
            return column.cast(expected)
        if pa.types.is_string(found) and where.endswith((".csv", ".jsonl", ".ndjson")):
            return _parsed(column, expected)
        if _is_number(found) and _is_number(expected):
            return column.cast(expected)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise SourceError(
            f"{name} in {where} cannot be read as {expected}, which it is in {window}: {error}. {cure}"
        ) from error
    raise SourceError(f"{name} is {expected} in {window} and {found} in {where}, expected one type. {cure}")


def _parsed(column: pa.ChunkedArray, expected: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_boolean(expected):
        words = column.to_pylist()
        if strange := sorted({word for word in words if word is not None and word.lower() not in TRUTHS}):
            raise ValueError(f"found {strange[:3]}, expected true or false")
        return pa.chunked_array([pa.array([None if word is None else TRUTHS[word.lower()] for word in words])])
    if pa.types.is_integer(expected):
        return column.cast(pa.float64()).cast(expected)  # 3.0 is a whole number too
    return column.cast(expected)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _as_number(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    try:
        return column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SourceError(f"{LABEL} in {where} holds {column.type}, expected 0 and 1: {error}. {CURE}") from error


def _as_moments(column: pa.ChunkedArray, name: str, where: str) -> pa.ChunkedArray:
    """Return moments in UTC without a zone; text may have zones in all rows or in none."""
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        zoned = pa.types.is_timestamp(column.type) and column.type.tz is not None
        return (
            column.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
            if zoned
            else column.cast(pa.timestamp("us"))
        )
    try:
        moments = [
            None if word is None else datetime.fromisoformat(word) for word in column.cast(pa.string()).to_pylist()
        ]
    except ValueError as error:
        raise SourceError(f"{name} in {where}: {error}. Cure: write moments as 2025-11-02T00:00:00.") from error
    zoned_rows = sum(moment.tzinfo is not None for moment in moments if moment)
    known = sum(moment is not None for moment in moments)
    if zoned_rows not in {0, known}:
        raise SourceError(
            f"{name} in {where} mixes moments with and without a time zone: found {zoned_rows} of {known} with one, "
            "expected all or none. Cure: write each with its zone, as 2025-11-02T00:00:00+00:00."
        )
    plain = [moment.astimezone(UTC).replace(tzinfo=None) if moment and moment.tzinfo else moment for moment in moments]
    return pa.chunked_array([pa.array(plain, pa.timestamp("us"))])


def _check_scores(batch: pa.Table, where: str) -> None:
    for name in map(score_column, scored_models(batch)):
        scores = numbers_of(batch[name])
        if outside := int(np.sum(~((scores >= 0) & (scores <= 1)))):
            raise SourceError(
                f"{name} in {where} lies outside 0 to 1, or is missing, in {outside} of {len(scores)} rows. "
                "Cure: give every row its score, or leave the column out."
            )


def _check_labels(batch: pa.Table, where: str) -> None:
    if LABEL in batch.column_names:
        labels = numbers_of(batch[LABEL])
        if strange := int(np.sum(~np.isnan(labels) & (labels != 0) & (labels != 1))):
            raise SourceError(f"{LABEL} in {where} is neither 0 nor 1 in {strange} rows. Cure: 0, 1, or nothing yet.")


def _check_identifiers(batch: pa.Table, schema: FeatureSchema, where: str) -> None:
    keys = keys_in(batch, schema)
    if not set(schema.unit) <= set(keys) or (schema.moment and schema.moment not in keys):
        return  # without all of them, rows may be alike and yet not the same
    counts = batch.group_by(keys).aggregate([([], "count_all")])["count_all"]
    if repeated := pc.sum(pc.greater(counts, 1)).as_py():
        raise SourceError(
            f"{where}: {repeated} identifiers ({', '.join(keys)}) stand in several rows, expected one row each: rows "
            "that are counted twice look like a change. Cure: keep one row of each."
        )
