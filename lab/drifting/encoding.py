"""Turn rows into the numbers that trees take: on the scale of a reference, or by rank within the rows themselves."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lab.columns import numbers_of
from lab.stats.dependence import midranks
from lab.stats.distributions import Distribution

Numbers = NDArray[np.float64]
LARGEST = 1e30
DECIMALS = 6  # what is engineered is rounded where it is made, so that every processor grows the same trees


def on_reference_scale(
    table: pa.Table, numbers: Mapping[str, Distribution], levels: Mapping[str, Mapping[str, int]], features: list[str]
) -> Numbers:
    """Return a column for each feature, in their order, and one for each that says whether it is missing.

    A number is how many spreads it lies from the reference's median, drawn in (asinh) so that one wild value does not
    hide the others; a level is how rare it was, in bits; missing is 0.
    """
    columns = [
        _distance_from_median(numbers_of(table[name]), numbers[name])
        if name in numbers
        else _rarity(table[name], levels.get(name, {}))
        for name in features
    ]
    missing = [np.asarray(pc.is_null(table[name], nan_is_null=True), dtype=np.float64) for name in features]
    return np.column_stack([*columns, *missing]).round(DECIMALS)


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


def _distance_from_median(values: Numbers, reference: Distribution) -> Numbers:
    lower, median, upper = (
        float(reference.values[np.searchsorted(reference.below, share * reference.rows)]) for share in (0.25, 0.5, 0.75)
    )
    finite = np.nan_to_num(np.clip(values, -LARGEST, LARGEST), nan=median)
    scale = next((width for width in (upper - lower, reference.spread) if 0 < width < LARGEST), 1.0)
    distance: Numbers = np.arcsinh((finite - np.clip(median, -LARGEST, LARGEST)) / scale)
    return distance


def _rarity(column: pa.ChunkedArray, counts: Mapping[str, int]) -> Numbers:
    total = max(sum(counts.values()), 1)
    bits = {level: -np.log2(max(count, 0.5) / total) for level, count in counts.items()}
    unseen = -np.log2(0.5 / total)
    return _mapped(column, bits, unseen=unseen, missing=0.0)


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
