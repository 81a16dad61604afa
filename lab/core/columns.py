"""Arrow columns as the arrays that statistics take."""

from typing import Any

import numpy as np
import pyarrow as pa


def numbers_of(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a column as floats, NaN where a value is missing; whole numbers beyond 2**53 lose their last digits."""
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
