"""Convert rows of Python values to Arrow tables, buffered on disk."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

Rows = Sequence[Sequence[Any]]


def spool_rows(batches: Iterable[Rows], names: Sequence[str], *, scratch: Path) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Return the schema of all rows and their batches, which are buffered in files of the scratch folder.

    A column of nulls is text; mixed types become the widest numeric type, or text.
    """
    kinds: list[set[pa.DataType]] = [set() for _ in names]
    files = []
    for number, rows in enumerate(batches):
        columns = [column_of(values) for values in zip(*rows, strict=True)]
        for seen, column in zip(kinds, columns, strict=True):
            seen.add(column.type)
        files.append(scratch / f"{number}.arrow")
        _write(pa.Table.from_arrays(columns, names=list(names)), files[-1])
    schema = pa.schema([(name, widest(seen)) for name, seen in zip(names, kinds, strict=True)])
    return schema, (_read(file).cast(schema, safe=False) for file in files)


def column_of(values: Sequence[Any]) -> pa.Array:
    """Return values as an array of their type, or as text if that type is unsupported.

    NaN is null, and a timestamp with a time zone becomes UTC.
    """
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return _as_text(values)
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("us", tz="UTC" if array.type.tz else None), safe=False)
    return array if _is_supported(array.type) else _as_text(values)


def widest(kinds: set[pa.DataType]) -> pa.DataType:
    """Return the one type that holds all of these; decimals get 38 digits."""
    found = kinds - {pa.null()}
    if found and all(pa.types.is_decimal(kind) or kind == pa.int64() for kind in found) and found != {pa.int64()}:
        return pa.decimal128(38, max(kind.scale for kind in found if pa.types.is_decimal(kind)))
    if len(found) == 1:
        return found.pop()
    numeric = all(pa.types.is_decimal(kind) or kind in {pa.int64(), pa.float64()} for kind in found)
    return pa.float64() if found and numeric else pa.string()


def _is_supported(kind: pa.DataType) -> bool:
    plain = {pa.null(), pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.date32()}
    return kind in plain or (pa.types.is_decimal(kind) and kind.bit_width == 128)


def _as_text(values: Sequence[Any]) -> pa.Array:
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, dict | list | tuple | bool):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)


def _write(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _read(path: Path) -> pa.Table:
    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source) as reader:
        return reader.read_all()
