"""Aggregate a log in one pass: moments by arm, look, stratum and segment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.abtest.units import Units
from lab.core.errors import SourceError
from lab.experiment.design import Design
from lab.experiment.log import Batch, Codes, Numbers, numeric_columns
from lab.stats.experiments.moments import Moments, merge_moments, no_rows

MOST_LEVELS = 100
FEW = 4  # groups; up to so many, one scan per group is faster than a sort
Pair = tuple[int, int]


@dataclass(frozen=True)
class LogMoments:
    """The moments of a log by period and arm, and by level and arm for the stratum and each segment.

    `missing` counts the missing values of covariates, `repeated` the rows whose unit has an earlier row, `late` the
    rows after the last look, which are left out.
    """

    columns: tuple[str, ...]
    periods: tuple[tuple[Moments, ...], ...]
    groups: Mapping[str, Mapping[str, tuple[Moments, ...]]]
    missing: Mapping[str, int]
    repeated: int
    late: int

    @property
    def rows(self) -> int:
        return sum(arm.count for period in self.periods for arm in period)

    def at_look(self, look: int) -> tuple[Moments, ...]:
        """Return the moments of each arm up to and including a look, counted from 1."""
        return tuple(merge_moments(arm) for arm in zip(*self.periods[:look], strict=True))

    def column(self, name: str) -> int:
        """Return the index of a column in the moments."""
        return self.columns.index(name)


def log_moments(batches: Iterable[Batch], design: Design) -> LogMoments:
    """Return the moments of all batches; the batch size changes only the last digits."""
    columns, arms = tuple(numeric_columns(design)), len(design.arms)
    sums, units, missing = _Sums(pairs_of(design)), Units(), np.zeros(len(columns), dtype=np.int64)
    late = 0
    for raw in batches:
        batch, after_last_look = _within_plan(raw, len(design.looks.dates))
        late += after_last_look
        units.add(batch.units)
        filled = [_filled(column) for column in batch.values]
        missing += [count for _, count in filled]
        shifted = sums.shifted([column for column, _ in filled])
        sums.add("", batch.periods, batch.arms, shifted)
        for name, levels in batch.groups.items():
            codes = sums.codes_of(name, levels.dictionary.to_pylist())[levels.indices.to_numpy()]
            sums.add(name, codes, batch.arms, shifted)
    periods = range(max(1, len(design.looks.dates)))
    return LogMoments(
        columns=columns,
        periods=tuple(sums.moments_of("", period, arms, len(columns)) for period in periods),
        groups={
            name: {level: sums.moments_of(name, code, arms, len(columns)) for level, code in sorted(levels.items())}
            for name, levels in sums.codes.items()
        },
        missing={name: int(count) for name, count in zip(columns, missing, strict=True) if count},
        repeated=units.repeated(),
        late=late,
    )


def _within_plan(batch: Batch, looks: int) -> tuple[Batch, int]:
    """Return the batch without the rows after the last look, and their number."""
    if batch.periods is None or not len(batch.periods) or int(batch.periods.max()) < looks:
        return batch, 0
    kept = batch.periods < looks
    rows = pa.array(kept)
    return Batch(
        units=batch.units.filter(rows),
        arms=batch.arms[kept],
        periods=batch.periods[kept],
        values=[column[kept] for column in batch.values],
        groups={name: column.filter(rows) for name, column in batch.groups.items()},
    ), int(len(kept) - kept.sum())


class _Sums:
    """Running sums of shifted values by grouping, group and arm."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs
        self.shifts: list[float] = []
        self.sums: dict[tuple[str, int, int], _Sum] = {}
        self.codes: dict[str, dict[str, int]] = {}

    def codes_of(self, name: str, levels: Sequence[Any]) -> Codes:
        """Return the code of each level of a batch; codes stay the same over all batches."""
        codes = self.codes.setdefault(name, {})
        texts = ["(missing)" if level is None else str(level) for level in levels]
        for text in texts:
            codes.setdefault(text, len(codes))
        if len(codes) > MOST_LEVELS:
            raise SourceError(
                f"{name} has more than {MOST_LEVELS} levels, expected fewer and larger groups. "
                "Cure: merge levels, or remove it from stratum and segments."
            )
        return np.array([codes[text] for text in texts], dtype=np.int64)

    def shifted(self, values: list[Numbers]) -> list[Numbers]:
        """Return columns minus their means in the first batch, to keep precision."""
        if not self.shifts and len(values[0]):
            self.shifts = [float(column.mean()) for column in values]
        return [column - shift for column, shift in zip(values, self.shifts or [0.0] * len(values), strict=True)]

    def add(self, name: str, groups: Codes | None, arms: Codes, shifted: list[Numbers]) -> None:
        for (group, arm), rows in _cells(groups, arms):
            chosen = shifted if rows is None else [column.take(rows) for column in shifted]
            self.sums.setdefault((name, group, arm), _Sum(len(shifted), self.pairs)).add(chosen)

    def moments_of(self, name: str, group: int, arms: int, columns: int) -> tuple[Moments, ...]:
        """Return the moments of every arm in a group."""
        found = (self.sums.get((name, group, arm)) for arm in range(arms))
        return tuple(no_rows(columns) if each is None else each.moments(self.shifts) for each in found)


class _Sum:
    """The sums of shifted values and of the products of the column pairs that a design needs.

    Other products stay 0 and must not be used: computing them would cost half as much again.
    """

    def __init__(self, columns: int, pairs: Sequence[Pair]) -> None:
        self.count = 0
        self.pairs = pairs
        self.sums = np.zeros(columns)
        self.products = np.zeros((columns, columns))

    def add(self, shifted: list[Numbers]) -> None:
        """Add rows; without BLAS, whose results depend on the number of threads."""
        self.count += len(shifted[0])
        self.sums += [column.sum() for column in shifted]
        for one, two in self.pairs:
            self.products[one, two] += np.einsum("i,i->", shifted[one], shifted[two])

    def moments(self, shifts: Sequence[float]) -> Moments:
        means = self.sums / self.count
        products = np.zeros_like(self.products)
        for one, two in self.pairs:
            centred = self.products[one, two] - self.sums[one] * means[two]
            products[one, two] = products[two, one] = max(centred, 0.0) if one == two else centred
        return Moments(self.count, means + np.array(shifts), products)


def pairs_of(design: Design) -> list[Pair]:
    """Return the pairs of columns whose products are needed: each with itself, covariates, ratios."""
    index = {name: number for number, name in enumerate(numeric_columns(design))}
    pairs = {(number, number) for number in index.values()}
    for name, outcome in design.outcomes.items():
        pairs |= {(index[name], index[other]) for other in (outcome.covariate, outcome.per) if other is not None}
    return sorted(pairs)


def _cells(groups: Codes | None, arms: Codes) -> Iterator[tuple[Pair, NDArray[np.intp] | None]]:
    """Yield each group and arm that occurs with its rows; None means all rows."""
    if not len(arms):
        return
    width = int(arms.max()) + 1
    cells = arms if groups is None else groups * width + arms
    counts = np.bincount(cells)
    seen = np.flatnonzero(counts)
    if len(seen) <= FEW:
        for cell in seen:
            yield divmod(int(cell), width), None if len(seen) == 1 else np.flatnonzero(cells == cell)
        return
    order = np.argsort(cells.astype(np.uint16) if len(counts) < 65_536 else cells, kind="stable")
    for cell, rows in zip(seen, np.split(order, np.cumsum(counts[seen])[:-1]), strict=True):
        yield divmod(int(cell), width), rows


def _filled(column: Numbers) -> tuple[Numbers, int]:
    """Return a column with 0 for missing values, and their number; such a covariate is not used."""
    if not len(column) or not np.isnan(column.min()):
        return column, 0
    missing = np.isnan(column)
    return np.where(missing, 0.0, column), int(missing.sum())
