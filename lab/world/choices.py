"""Draw weighted random choices for whole columns at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def cumulative(weights: npt.ArrayLike) -> Floats:
    """Return the cumulative weights of each row, scaled to 1; an option of weight 0 is never chosen.

    >>> cumulative([1, 0, 3]).tolist()
    [0.25, 0.25, 1.0]
    """
    summed = np.cumsum(np.asarray(weights, dtype=np.float64), axis=-1)
    return np.asarray(summed / summed[..., -1:])


def choose(weights: Sequence[float] | Floats, *, size: int, rng: np.random.Generator) -> Integers:
    """Return `size` random positions in weights."""
    return np.searchsorted(cumulative(weights), rng.random(size), side="right").astype(np.int64)


def choose_by_group(weights: npt.ArrayLike, groups: Integers, *, rng: np.random.Generator) -> Integers:
    """Return, for each entry of groups, a random position in that row of weights."""
    table = cumulative(weights)
    options = table.shape[1]
    edges = (table + np.arange(len(table))[:, None]).ravel()
    found = np.searchsorted(edges, groups + rng.random(len(groups)), side="right") - groups * options
    return np.asarray(np.minimum(found, options - 1))  # group + 0.999… may round up to the next group
