"""Add up a log in one pass: counts and mergeable moments of every arm, look, stratum and segment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.abtest.units import Units
from lab.core.errors import SourceError
from lab.experiment.design import Design
from lab.experiment.log import Batch, Codes, Numbers, measured
from lab.stats.experiments.moments import Moments, merge_moments, no_rows

MOST_LEVELS = 100
FEW = 4  # groups that are found faster by looking for each than by a sort
Pair = tuple[int, int]


@dataclass(frozen=True)
class Tally:
    """What a log holds: by look's period and arm, and by level and arm for the stratum and each segment.

    `missing` counts the values that a covariate lacks. `repeated` is how many rows name a unit that another row names,
    `late` how many rows lie after the last look and were left out.
    """

    columns: tuple[str, ...]
    periods: tuple[tuple[Moments, ...], ...]
    groups: Mapping[str, Mapping[str, tuple[Moments, ...]]]
    missing: Mapping[str, int]
    repeated: int
    late: int

    @property
    def rows(self) -> int:
        """Return how many rows were read."""
        return sum(arm.count for period in self.periods for arm in period)

    def at_look(self, look: int) -> tuple[Moments, ...]:
        """Return the moments of each arm up to a look, counted from 1, that look included."""
        return tuple(merge_moments(arm) for arm in zip(*self.periods[:look], strict=True))

    def column(self, name: str) -> int:
        """Return the place of a column in the moments."""
        return self.columns.index(name)


def tally_log(batches: Iterable[Batch], design: Design) -> Tally:
    """Return what the batches add up to; how they were cut changes nothing but the last digits."""
    columns, arms = tuple(measured(design)), len(design.arms)
    sums, units, missing = _Sums(pairs_of(design)), Units(), np.zeros(len(columns), dtype=np.int64)
    late = 0
    for whole in batches:
        batch, beyond = _within_plan(whole, len(design.looks.dates))
        late += beyond
        units.add(batch.units)
        filled = [_filled(column) for column in batch.values]
        missing += [count for _, count in filled]
        moved = sums.moved([column for column, _ in filled])
        sums.add("", batch.periods, batch.arms, moved)
        for name, levels in batch.groups.items():
            codes = sums.codes_of(name, levels.dictionary.to_pylist())[levels.indices.to_numpy()]
            sums.add(name, codes, batch.arms, moved)
    places = range(max(1, len(design.looks.dates)))
    return Tally(
        columns=columns,
        periods=tuple(sums.rows_of("", place, arms, len(columns)) for place in places),
        groups={
            name: {level: sums.rows_of(name, place, arms, len(columns)) for level, place in sorted(levels.items())}
            for name, levels in sums.places.items()
        },
        missing={name: int(count) for name, count in zip(columns, missing, strict=True) if count},
        repeated=units.repeated(),
        late=late,
    )


def _within_plan(batch: Batch, looks: int) -> tuple[Batch, int]:
    """Return the batch without rows after the last look, and how many those are."""
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
    """Sums that grow, by what they are grouped by, the group and the arm; all are of distances from the first rows."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs
        self.shifts: list[float] = []
        self.sums: dict[tuple[str, int, int], _Sum] = {}
        self.places: dict[str, dict[str, int]] = {}

    def codes_of(self, name: str, levels: Sequence[Any]) -> Codes:
        """Return the lasting place of each level of a batch."""
        places = self.places.setdefault(name, {})
        words = ["(missing)" if level is None else str(level) for level in levels]
        for word in words:
            places.setdefault(word, len(places))
        if len(places) > MOST_LEVELS:
            raise SourceError(
                f"{name} has more than {MOST_LEVELS} levels, expected groups large enough to judge. "
                "Cure: put levels together, or take it out of stratum and segments."
            )
        return np.array([places[word] for word in words], dtype=np.int64)

    def moved(self, values: list[Numbers]) -> list[Numbers]:
        """Return columns as distances from where the first rows lay, so that an offset costs no digits."""
        if not self.shifts and len(values[0]):
            self.shifts = [float(column.mean()) for column in values]
        return [column - shift for column, shift in zip(values, self.shifts or [0.0] * len(values), strict=True)]

    def add(self, name: str, groups: Codes | None, arms: Codes, moved: list[Numbers]) -> None:
        """Add rows to the sums of their groups and arms."""
        for (group, arm), rows in _cells(groups, arms):
            chosen = moved if rows is None else [column.take(rows) for column in moved]
            self.sums.setdefault((name, group, arm), _Sum(len(moved), self.pairs)).add(chosen)

    def rows_of(self, name: str, group: int, arms: int, columns: int) -> tuple[Moments, ...]:
        """Return the moments of every arm in a group."""
        found = (self.sums.get((name, group, arm)) for arm in range(arms))
        return tuple(no_rows(columns) if each is None else each.moments(self.shifts) for each in found)


class _Sum:
    """The sums of some rows' distances, and of the products of those pairs of columns that a design needs.

    Products of other pairs are left at 0 and mean nothing: to take them all would cost half as much again.
    """

    def __init__(self, columns: int, pairs: Sequence[Pair]) -> None:
        self.count = 0
        self.pairs = pairs
        self.sums = np.zeros(columns)
        self.products = np.zeros((columns, columns))

    def add(self, moved: list[Numbers]) -> None:
        """Add rows; not by matrix products, for those of BLAS depend on the number of threads."""
        self.count += len(moved[0])
        self.sums += [column.sum() for column in moved]
        for one, two in self.pairs:
            self.products[one, two] += np.einsum("i,i->", moved[one], moved[two])

    def moments(self, shifts: Sequence[float]) -> Moments:
        """Return the moments of the rows."""
        means = self.sums / self.count
        products = np.zeros_like(self.products)
        for one, two in self.pairs:
            centred = self.products[one, two] - self.sums[one] * means[two]
            products[one, two] = products[two, one] = max(centred, 0.0) if one == two else centred
        return Moments(self.count, means + np.array(shifts), products)


def pairs_of(design: Design) -> list[Pair]:
    """Return the pairs of columns whose products an analysis needs: each with itself, covariates, ratios."""
    place = {name: number for number, name in enumerate(measured(design))}
    pairs = {(number, number) for number in place.values()}
    for name, outcome in design.outcomes.items():
        pairs |= {(place[name], place[other]) for other in (outcome.covariate, outcome.per) if other is not None}
    return sorted(pairs)


def _cells(groups: Codes | None, arms: Codes) -> Iterator[tuple[Pair, NDArray[np.intp] | None]]:
    """Yield each group and arm that occurs with its rows, in their order; None where that is every row."""
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
    """Return a column with 0 where a covariate is missing, and how often: such a covariate is not used."""
    if not len(column) or not np.isnan(column.min()):
        return column, 0
    missing = np.isnan(column)
    return np.where(missing, 0.0, column), int(missing.sum())
