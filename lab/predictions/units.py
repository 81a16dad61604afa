"""Number the units of a table's rows, from the columns that name them."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.schema import FeatureSchema

Codes = NDArray[np.int64]


def units_of(table: pa.Table, schema: FeatureSchema) -> Codes | None:
    """Return an integer code for the unit of each row; None when the table lacks the columns."""
    for names in (schema.unit_columns, schema.unit):  # logs and older tables may lack the group of the split
        if names and set(names) <= set(table.column_names):
            return numbered(table, names)
    return None


def numbered(table: pa.Table, names: Sequence[str]) -> Codes:
    """Return a number for each row, the same for rows with equal values in these columns."""
    codes = np.zeros(table.num_rows, dtype=np.int64)
    for name in names:
        column = codes_of(table[name])
        codes = np.unique(codes * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1].astype(np.int64)
    return codes


def codes_of(column: pa.ChunkedArray) -> Codes:
    """Return an integer code for each value; missing is a value of its own."""
    encoded = column.combine_chunks().dictionary_encode()
    codes: Codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes
