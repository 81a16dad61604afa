"""Check the columns of a source: unique names, flat types, at least one row."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa

from lab.core.errors import SourceError

SourceTable = tuple[str, pa.Schema, Iterator[pa.Table]]


def refuse_bad_names(names: Sequence[str], *, where: str) -> None:
    """Refuse empty and repeated column names; case is ignored."""
    if unnamed := [place for place, name in enumerate(names, start=1) if not name]:
        raise SourceError(
            f"{where} has columns without a name, at place {unnamed} of {len(names)}, expected a name for each. "
            "Cure: name them in the header (or in the query, with `as`), or remove them."
        )
    counts = Counter(name.casefold() for name in names)
    if repeated := [name for name in names if counts[name.casefold()] > 1]:
        raise SourceError(
            f"{where} has the column names {repeated}, expected each only once: the engine ignores case. "
            "Cure: rename them in the source, or with `as` in the query."
        )


def plain_schema(schema: pa.Schema, *, where: str) -> pa.Schema:
    """Return the schema in flat types: decoded dictionaries, timestamps in microseconds, time zones as UTC."""
    if nested := {field.name: str(field.type) for field in schema if pa.types.is_nested(field.type)}:
        raise SourceError(
            f"{where} has nested columns {nested}, expected one value per cell. Cure: make their parts columns."
        )
    return pa.schema([pa.field(field.name, plain_type(field.type)) for field in schema])


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type in which a column is stored; unsupported types become text."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if pa.types.is_decimal(kind):
        return pa.decimal128(kind.precision, kind.scale) if kind.precision <= 38 else pa.float64()
    kept = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    return kind if kept or pa.types.is_date(kind) else pa.string()


def as_plain(table: pa.Table, schema: pa.Schema, *, where: str) -> pa.Table:
    """Return the table cast to a plain schema; digits beyond microseconds or double precision are lost."""
    try:
        return table.cast(schema, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SourceError(
            f"{where} holds values that cannot be stored: {error}. Cure: cast or remove that column."
        ) from error


def refuse_no_rows(batches: Iterator[pa.Table], *, where: str) -> Iterator[pa.Table]:
    """Yield the batches with rows; raise at the end if there was none."""
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        if batch.num_rows:
            yield batch
    if rows == 0:
        raise SourceError(f"{where}: found 0 rows, expected at least one. Cure: add rows, or correct the source.")
