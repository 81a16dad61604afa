"""Convert numpy arrays to Arrow columns; pyarrow.array would import pandas (0.4 s)."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lab.world.calendar import START
from lab.world.choices import Integers

FIRST_ID = 1
EPOCH = np.datetime64(START, "D").astype(np.int64)
MICROSECONDS = 1_000_000
Flags = npt.NDArray[np.bool_]


def table_of(columns: Mapping[str, pa.Array]) -> pa.Table:
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def numbers(values: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> pa.Array:
    return _column(pa.int64() if values.dtype.kind == "i" else pa.float64(), values)


def identifiers(count: int) -> pa.Array:
    return numbers(np.arange(FIRST_ID, FIRST_ID + count))


def booleans(values: Flags, *, missing: Flags | None = None) -> pa.Array:
    return _column(pa.bool_(), np.packbits(values, bitorder="little"), missing=missing, count=len(values))


def dates(days: Integers, *, missing: Flags | None = None) -> pa.Array:
    """Return day numbers (0 is START) as dates."""
    return _column(pa.date32(), (days + EPOCH).astype(np.int32), missing=missing)


def moments(seconds: Integers) -> pa.Array:
    """Return seconds since START as timestamps."""
    return _column(pa.timestamp("us"), (seconds + EPOCH * 86_400) * MICROSECONDS)


def texts(codes: Integers, levels: Sequence[str], *, missing: Flags | None = None) -> pa.Array:
    """Return the level of each code."""
    words = [level.encode() for level in levels]
    ends = np.cumsum([0, *(len(word) for word in words)], dtype=np.int32)
    dictionary = pa.StringArray.from_buffers(len(words), pa.py_buffer(ends), pa.py_buffer(b"".join(words)))
    return dictionary.take(_column(pa.int64(), codes, missing=missing))


def _column(
    kind: pa.DataType, values: npt.NDArray[np.generic], *, missing: Flags | None = None, count: int | None = None
) -> pa.Array:
    present = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    buffers = [present, pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(kind, len(values) if count is None else count, buffers)
