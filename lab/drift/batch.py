"""Validate the columns and types of a batch against the reference."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lab.core.errors import SourceError
from lab.core.schema import FeatureSchema
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import LABEL, score_column
from lab.reference.reference import Reference
from lab.reference.rows import compared_columns, keys_in, scored_models

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
CURE = "Cure: provide the columns of data/features/schema.json with their types."


@dataclass(frozen=True)
class Source:
    """The texts of an error message, and whether values may be written as text."""

    window: str
    where: str
    cure: str
    as_text: bool


def checked_batch(table: pa.Table, reference: Reference, *, name: str, cure: str, as_text: bool = False) -> pa.Table:
    """Return the columns of the assessment with the types of the reference, or raise an error.

    Every feature is required. Other groups, identifiers, moments, labels and scores are optional: what needs them is
    skipped with a reason. With `as_text`, numbers and booleans may be text.
    """
    schema = reference.facts.inputs
    if absent := [column for column in sorted(schema.features) if column not in table.column_names]:
        raise SourceError(f"{name} lacks the columns {absent}; it has {table.column_names}. {cure}")
    known = {column: facts.type for column, facts in reference.facts.columns.items()} | reference.facts.units
    types = {column: pa.type_for_alias(kind) for column, kind in known.items()}
    wanted = [*keys_in(table, schema), *compared_columns(schema), LABEL, *types]
    kept = [column for column in dict.fromkeys(wanted) if column in table.column_names]
    columns = {}
    for column in kept:
        if column == schema.moment:
            columns[column] = _as_moments(table[column], column, name)
        elif column in types:
            columns[column] = _as_type(
                table[column], types[column], column, Source(reference.facts.window, name, cure, as_text)
            )
        else:
            columns[column] = _as_number(table[column], name) if column == LABEL else table[column]
    batch = pa.table(columns)
    _check_scores(batch, name)
    _check_labels(batch, name)
    _check_identifiers(batch, schema, name)
    return batch


def with_label(table: pa.Table, column: str | None, reference: Reference, *, name: str) -> pa.Table:
    """Return the table with its label as 1 and 0, if it has the task's own column of labels and no other."""
    if column is None or LABEL in table.column_names or column not in table.column_names:
        return table
    positive, source = reference.facts.inputs.positive, Source(reference.facts.window, name, CURE, as_text=True)
    if isinstance(positive, str):
        found = table[column].cast(pa.string())
    else:
        kind = pa.bool_() if isinstance(positive, bool) else pa.float64()
        found = _as_type(table[column], kind, column, source)
    return table.append_column(LABEL, pc.equal(found, pa.scalar(positive, found.type)).cast(pa.float64()))


def _as_type(column: pa.ChunkedArray, expected: pa.DataType, name: str, source: Source) -> pa.ChunkedArray:
    found = column.type
    if pa.types.is_dictionary(found):
        column, found = column.cast(found.value_type), found.value_type
    if found == expected:
        return column
    try:
        if pa.types.is_null(found) or pa.types.is_large_string(found):
            return column.cast(expected)
        if source.as_text and pa.types.is_string(found):
            return _parsed(column, expected)
        if _is_number(found) and _is_number(expected):
            return column.cast(expected)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise SourceError(
            f"{name} in {source.where} cannot be read as {expected}, its type in {source.window}: {error}. "
            f"{source.cure}"
        ) from error
    raise SourceError(
        f"{name} is {expected} in {source.window} and {found} in {source.where}, expected one type. {source.cure}"
    )


def _parsed(column: pa.ChunkedArray, expected: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_boolean(expected):
        words = column.to_pylist()
        if invalid := sorted({word for word in words if word is not None and word.lower() not in BOOLEANS}):
            raise ValueError(f"found {invalid[:3]}, expected true or false")
        return pa.chunked_array([pa.array([None if word is None else BOOLEANS[word.lower()] for word in words])])
    if pa.types.is_integer(expected):
        return column.cast(pa.float64()).cast(expected)  # 3.0 is an integer too
    return column.cast(expected)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _as_number(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    try:
        return column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SourceError(f"{LABEL} in {where} is {column.type}, expected 0 and 1: {error}. {CURE}") from error


def _as_moments(column: pa.ChunkedArray, name: str, where: str) -> pa.ChunkedArray:
    """Return moments in UTC without a zone; text must have zones in all rows or in none."""
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
                f"{name} in {where} is missing or outside 0 to 1 in {outside} of {len(scores)} rows. "
                "Cure: give every row its score, or drop the column."
            )


def _check_labels(batch: pa.Table, where: str) -> None:
    if LABEL in batch.column_names:
        labels = numbers_of(batch[LABEL])
        if invalid := int(np.sum(~np.isnan(labels) & (labels != 0) & (labels != 1))):
            raise SourceError(f"{LABEL} in {where} is neither 0 nor 1 in {invalid} rows. Cure: 0, 1 or null.")


def _check_identifiers(batch: pa.Table, schema: FeatureSchema, where: str) -> None:
    keys = keys_in(batch, schema)
    if not set(schema.unit) <= set(keys) or (schema.moment and schema.moment not in keys):
        return  # without all keys, equal rows may be different observations
    counts = batch.group_by(keys).aggregate([([], "count_all")])["count_all"]
    if repeated := pc.sum(pc.greater(counts, 1)).as_py():
        raise SourceError(
            f"{where}: {repeated} identifiers ({', '.join(keys)}) have several rows, expected one row each, because "
            "duplicates look like drift. Cure: keep one row of each."
        )
