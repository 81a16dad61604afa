"""Select example rows: highest, lowest and borderline scores, and the worst mistakes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Chosen:
    """A row by its index, and the case that it is an example of."""

    case: str
    place: int


def choose_rows(scores: Numbers, labels: Truths, *, threshold: float) -> list[Chosen]:
    """Return the highest and lowest score, the score nearest the threshold, the worst false alarm and the worst miss.

    A case without rows is left out. Of ties the first row is chosen; feature tables are sorted by their keys.
    """
    decided = scores >= threshold
    cases = (
        ("highest score", np.ones(len(scores), dtype=bool), -scores),
        ("lowest score", np.ones(len(scores), dtype=bool), scores),
        ("nearest the threshold", np.ones(len(scores), dtype=bool), np.abs(scores - threshold).round(9)),
        ("worst false alarm", decided & ~labels, -scores),
        ("worst miss", ~decided & labels, scores),
    )
    return [Chosen(case, _first(among, by)) for case, among, by in cases if among.any()]


def _first(among: Truths, by: Numbers) -> int:
    places = np.flatnonzero(among)
    return int(places[np.argmin(by[places])])
