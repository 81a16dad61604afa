"""Round arrays to a few significant digits: the last digits differ between processors."""

import numpy as np
from numpy.typing import NDArray


def significant(values: NDArray[np.float64], *, digits: int) -> NDArray[np.float64]:
    """Return values rounded to significant digits; NaN and infinity are unchanged.

    >>> significant(np.array([1234.5678, -0.00012345678]), digits=4)
    array([ 1.235e+03, -1.235e-04])
    """
    return np.array([float(f"{value:.{digits - 1}e}") for value in values.ravel()]).reshape(values.shape)
