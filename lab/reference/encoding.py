"""Turn rows into the numbers that trees take: how unusual they are to a reference, or their ranks among themselves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.predictions.columns import numbers_of
from lab.stats.shift.dependence import midranks
from lab.stats.shift.distributions import Distribution

Numbers = NDArray[np.float64]
LARGEST = 1e30
DECIMALS = 6  # what is engineered is rounded where it is made, so that every processor grows the same trees


@dataclass(frozen=True)
class Margins:
    """Each column of the reference by itself: the distribution of numbers, the rows of levels, the rows without."""

    numbers: Mapping[str, Distribution]
    levels: Mapping[str, Mapping[str, int]]
    missing: Mapping[str, int]

    def known(self, features: Iterable[str]) -> list[str]:
        """Return the features of which the reference has a value at all."""
        return [name for name in features if name in self.numbers or self.levels.get(name)]


def surprises(table: pa.Table, margins: Margins, features: Sequence[str]) -> Numbers:
    """Return how unusual each feature of each row is, in bits: −log2 of the share of the reference that is so, or more.

    A number counts by how far out it lies on its side, a level and a missing value by how rare they were. All features
    have one scale so, and one wild value does not hide the others.
    """
    columns = [
        _of_numbers(numbers_of(table[name]), margins.numbers[name], margins.missing[name])
        if name in margins.numbers
        else _of_levels(table[name], margins.levels[name], margins.missing[name])
        for name in features
    ]
    return np.column_stack(columns).round(DECIMALS)


def by_rank(table: pa.Table, levels: Mapping[str, Mapping[str, int]], features: list[str]) -> Numbers:
    """Return a column for each feature: the rank of a number among these rows, the rank of a level by frequency.

    Ranks leave nothing of a shift out, and outliers cannot stretch the scale; missing is below everything.
    """
    return np.column_stack(
        [
            _level_places(table[name], levels[name]) if name in levels else _ranks(numbers_of(table[name]))
            for name in features
        ]
    )


def _of_numbers(values: Numbers, reference: Distribution, missing: int) -> Numbers:
    """Return the bits of numbers; beyond the reference's ends they go on with the distance.

    A forest cannot tell how far beyond what it has seen a value lies.
    """
    rows = reference.rows
    below = np.concatenate([[0], reference.below])
    at_or_below = below[np.searchsorted(reference.values, values, side="right")]
    at_or_above = rows - below[np.searchsorted(reference.values, values, side="left")]
    share = np.clip(2 * np.minimum(at_or_below, at_or_above), 2, rows) / rows
    scale = reference.spread if 0 < reference.spread < LARGEST else 1.0
    first, last = np.clip(reference.values[[0, -1]], -LARGEST, LARGEST)
    finite = np.nan_to_num(np.clip(values, -LARGEST, LARGEST))
    beyond = np.maximum(np.maximum(first - finite, finite - last), 0) / scale
    bits = np.log2(1 + beyond) - np.log2(share)
    return np.where(np.isnan(values), _bits(missing, rows + missing), bits)


def _of_levels(column: pa.ChunkedArray, counts: Mapping[str, int], missing: int) -> Numbers:
    total = sum(counts.values()) + missing
    bits = {level: _bits(count, total) for level, count in counts.items()}
    return _mapped(column, bits, unseen=_bits(0, total), missing=_bits(missing, total))


def _bits(count: int, rows: int) -> float:
    return float(-np.log2(max(count, 0.5) / max(rows, 1)))


def _level_places(column: pa.ChunkedArray, counts: Mapping[str, int]) -> Numbers:
    order = sorted(counts, key=lambda level: (-counts[level], level))
    places = {level: float(place) for place, level in enumerate(order)}
    return _mapped(column, places, unseen=float(len(order)), missing=-1.0)


def _mapped(column: pa.ChunkedArray, values: Mapping[str, float], *, unseen: float, missing: float) -> Numbers:
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    table = np.array([*(values.get(level, unseen) for level in encoded.dictionary.to_pylist()), missing])
    found: Numbers = table[encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)]
    return found


def _ranks(values: Numbers) -> Numbers:
    present = ~np.isnan(values)
    ranks = np.full(len(values), -1.0)
    ranks[present] = midranks(values[present])
    return ranks
