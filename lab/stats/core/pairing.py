"""Match the rows of two lists by their identifiers, or refuse."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

SHOWN = 3


def match_rows(first: Sequence[Hashable], second: Sequence[Hashable]) -> NDArray[np.intp]:
    """Return, for each identifier of the first list, its place in the second; both must hold the same ones, each once.

    >>> match_rows(["a", "b", "c"], ["c", "a", "b"]).tolist()
    [1, 2, 0]
    """
    places = {identifier: place for place, identifier in enumerate(second)}
    known = set(first)
    for name, found, count in (("first", len(known), len(first)), ("second", len(places), len(second))):
        if found != count:
            raise ValueError(f"expected each identifier once, the {name} list repeats {count - found} of {count}")
    lacking = [identifier for identifier in first if identifier not in places]
    extra = [identifier for identifier in second if identifier not in known]
    if lacking or extra:
        raise ValueError(
            f"rows are not the same: {len(lacking)} only in the first list {lacking[:SHOWN]}, "
            f"{len(extra)} only in the second {extra[:SHOWN]}. Compare both on the rows they share, by identifier."
        )
    return np.array([places[identifier] for identifier in first], dtype=np.intp)
