"""Choose by rule the rows that stand for a model: the surest, the least sure, and the most wrong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Chosen:
    """A row by its place, and what it was chosen for."""

    case: str
    place: int


def choose_rows(scores: Numbers, labels: Truths, *, threshold: float) -> list[Chosen]:
    """Return the highest and the lowest score, the one nearest the threshold, the worst false alarm and worst miss.

    A case that no row is in is left out. Ties go to the first row: feature tables are sorted by their keys.
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
