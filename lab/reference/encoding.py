"""Encode rows as numeric features for trees: rarity in bits, or ranks."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.predictions.columns import numbers_of
from lab.stats.shift.dependence import midranks
from lab.stats.shift.distributions import Distribution

Numbers = NDArray[np.float64]
LARGEST = 1e30
DECIMALS = 6  # rounded, so that trees are equal on every processor


@dataclass(frozen=True)
class Margins:
    """The marginal distributions of the reference: numbers, rows per level, missing values."""

    numbers: Mapping[str, Distribution]
    levels: Mapping[str, Mapping[str, int]]
    missing: Mapping[str, int]

    def known(self, features: Iterable[str]) -> list[str]:
        """Return the features with at least one value in the reference."""
        return [name for name in features if name in self.numbers or self.levels.get(name)]


def rarity_in_bits(table: pa.Table, margins: Margins, features: Sequence[str]) -> Numbers:
    """Return −log2 of the share of the reference that is at least as extreme, for each feature of each row.

    For a number this is its tail probability, for a level or a missing value its frequency. All features share one
    scale, on which one extreme value does not hide the others.
    """
    columns = [
        _of_numbers(numbers_of(table[name]), margins.numbers[name], margins.missing[name])
        if name in margins.numbers
        else _of_levels(table[name], margins.levels[name], margins.missing[name])
        for name in features
    ]
    return np.column_stack(columns).round(DECIMALS)


def by_rank(table: pa.Table, levels: Collection[str], features: Sequence[str]) -> Numbers:
    """Return a column for each feature: the rank of a number among these rows, the rank of a level by frequency.

    `levels` are the names of the features with levels. Frequencies are those of these rows: ranked by one of two
    samples, levels tell the samples apart, because a level is more frequent where it was counted. Ranks keep every
    shift and are robust to outliers; missing values come first.
    """
    return np.column_stack(
        [_level_ranks(table[name]) if name in levels else _ranks(numbers_of(table[name])) for name in features]
    )


def _of_numbers(values: Numbers, reference: Distribution, missing: int) -> Numbers:
    """Return the rarity of numbers; outside the range of the reference it grows with the distance.

    A forest alone cannot measure how far outside its training range a value is.
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


def _level_ranks(column: pa.ChunkedArray) -> Numbers:
    texts = column.cast(pa.string())
    counts = {found["values"]: found["counts"] for found in texts.drop_null().value_counts().to_pylist()}
    order = sorted(counts, key=lambda level: (-counts[level], level))
    return _mapped(texts, {level: float(rank) for rank, level in enumerate(order)}, unseen=-1.0, missing=-1.0)


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
