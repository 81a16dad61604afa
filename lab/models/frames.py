"""Convert Arrow tables to the data frames that models take, in training, evaluation and serving."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.core.schema import Feature

LARGEST_NUMBER = 1e30  # forests use 32 bits (up to 3e38), and a scaler squares numbers


def frame_of(table: pa.Table, features: Mapping[str, Feature]) -> pd.DataFrame:
    """Return the features sorted by name: numbers and booleans as float64, categories as text.

    Missing is NaN in a number and None in a category. Infinite numbers and numbers beyond 1e30 are treated as missing.
    """
    if lacking := sorted(set(features) - set(table.column_names)):
        raise SourceError(
            f"the rows lack {lacking}; they have {sorted(table.column_names)}. "
            "Cure: use the columns that the model was trained on."
        )
    columns = {name: _values(table, name, features[name]) for name in sorted(features)}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def unusable_numbers(table: pa.Table, features: Mapping[str, Feature]) -> dict[str, int]:
    """Return how many numbers are treated as missing because of their size, for features with such numbers."""
    numbers = [name for name, feature in sorted(features.items()) if feature.kind == "number"]
    found = {name: int((np.abs(_numbers(table[name])) > LARGEST_NUMBER).sum()) for name in numbers}
    return {name: count for name, count in found.items() if count}


def _values(table: pa.Table, name: str, feature: Feature) -> pd.Series:
    try:
        if feature.kind == "category":
            return pd.Series(table[name].cast(pa.string()).to_numpy(zero_copy_only=False), dtype=object)
        if feature.kind == "boolean":
            return pd.Series(_numbers(table[name].cast(pa.bool_()).cast(pa.int8())))
        values = _numbers(table[name])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SourceError(
            f"{name} has the type {table[name].type}, expected a {feature.kind}: {error}. "
            "Cure: use the columns that the model was trained on."
        ) from error
    return pd.Series(np.where(np.abs(values) > LARGEST_NUMBER, np.nan, values))


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers
