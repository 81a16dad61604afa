"""Types of compiled models: parts of the program, and arrays by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Part = Mapping[str, Any]
Arrays = Mapping[str, NDArray[Any]]
Column = NDArray[Any]  # float64 with NaN for missing, or objects: text with None for missing
Columns = Mapping[str, Column]
