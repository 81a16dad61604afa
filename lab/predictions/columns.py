"""Convert Arrow columns to numpy arrays of floats."""

from typing import Any

import numpy as np
import pyarrow as pa


def numbers_of(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a column as floats with NaN for missing values; integers beyond 2**53 lose their last digits."""
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
