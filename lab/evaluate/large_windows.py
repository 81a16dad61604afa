"""Resample a part of a large window, and rescale to the size of the window."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lab.predictions.units import Codes
from lab.stats.core.clusters import count_units
from lab.stats.models.bootstrap import smaller_class

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

UNITS = 5_000  # at least, in the part; a row without a unit is its own unit
OF_SMALLER_CLASS = 1_000
LARGEST_SHARE = 0.5  # a larger part would save little


def part_of(labels: Flags, units: Codes | None, *, rng: np.random.Generator) -> tuple[Flags, float]:
    """Return the rows to resample, and the factor of the resamples' deviations: all rows and 1 in a small window.

    Deviations fall with the root of the number of units, so those of a random part are multiplied by the root of its
    share (Politis and Romano, 1994, Annals of Statistics 22). Rows are drawn within their class, units whole.
    """
    count = count_units(units, rows=len(labels))
    share = max(UNITS / max(1, count), OF_SMALLER_CLASS / max(1, smaller_class(labels, units)))
    if share > LARGEST_SHARE:
        return np.ones_like(labels), 1.0
    (stream,) = rng.spawn(1)
    if units is not None:
        return _drawn(np.ones(count, dtype=bool), share, stream)[units], math.sqrt(round(share * count) / count)
    return _drawn(labels, share, stream) | _drawn(~labels, share, stream), math.sqrt(share)


def rescaled(
    resampled: Mapping[str, Numbers], *, part: Mapping[str, Numbers], whole: Mapping[str, Numbers], factor: float
) -> Mapping[str, Numbers]:
    """Return resamples of the whole window: its value plus the deviations from the part's value times the factor."""
    if factor == 1:
        return resampled
    return {name: whole[name] + factor * (values - part[name]) for name, values in resampled.items()}


def _drawn(rows: Flags, share: float, stream: np.random.Generator) -> Flags:
    """Return a random share of the given rows, without replacement."""
    places, drawn = np.flatnonzero(rows), np.zeros(len(rows), dtype=bool)
    drawn[stream.choice(places, round(share * len(places)), replace=False)] = True
    return drawn
