"""What a compiled model is made of: parts of a program in JSON, and the arrays that they name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Part = Mapping[str, Any]
Arrays = Mapping[str, NDArray[Any]]
Column = NDArray[Any]  # of float64 where missing is NaN, or of objects: texts, and None where missing
Columns = Mapping[str, Column]
