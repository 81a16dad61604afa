"""Aggregate a log in one pass: moments by arm, look, stratum and segment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.abtest.units import Units
from lab.core.errors import SourceError
from lab.experiment.design import Design
from lab.experiment.log import Batch, Codes, Numbers, covariates_of, numeric_columns
from lab.stats.experiments.moments import Moments, merge_moments, no_rows

MOST_LEVELS = 100
FEW = 4  # groups; up to so many, one scan per group is faster than a sort
Pair = tuple[int, int]


@dataclass(frozen=True)
class LogMoments:
    """The moments of a log by period and arm, and by level and arm for the stratum and each segment.

    `missing` counts the missing values of each covariate that has some; the moments have an indicator for it, 1 where
    it is missing, after all `columns`. `repeated` counts the rows whose unit has an earlier row, `late` the rows after
    the last look, which are left out.
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

    def regressors(self, covariates: Sequence[str]) -> list[int]:
        """Return the indices of covariates and their indicators; with these, any imputed constant adjusts alike."""
        indicators = {name: len(self.columns) + number for number, name in enumerate(self.missing)}
        return [self.column(name) for name in covariates] + [
            indicators[name] for name in covariates if name in indicators
        ]


def log_moments(batches: Iterable[Batch], design: Design) -> LogMoments:
    """Return the moments of all batches; the batch size changes only the last digits."""
    columns, arms = tuple(numeric_columns(design)), len(design.arms)
    covariates = [columns.index(name) for name in covariates_of(design)]
    sums, units, missing = _Sums(pairs_of(design)), Units(), dict.fromkeys(covariates, 0)
    late = 0
    for raw in batches:
        batch, after_last_look = _within_plan(raw, len(design.looks.dates))
        late += after_last_look
        units.add(batch.units)
        indicators = {place: _indicator(batch.values[place]) for place in covariates}
        missing = {place: missing[place] + _count(indicator) for place, indicator in indicators.items()}
        shifted = [*sums.shifted(batch.values), *indicators.values()]
        sums.add("", batch.periods, batch.arms, shifted)
        for name, levels in batch.groups.items():
            codes = sums.codes_of(name, levels.dictionary.to_pylist())[levels.indices.to_numpy()]
            sums.add(name, codes, batch.arms, shifted)
    periods = range(max(1, len(design.looks.dates)))
    of_indicators = [len(columns) + number for number, place in enumerate(covariates) if missing[place]]
    used = [*range(len(columns)), *of_indicators]
    return LogMoments(
        columns=columns,
        periods=tuple(sums.moments_of("", period, arms, used) for period in periods),
        groups={
            name: {level: sums.moments_of(name, code, arms, used) for level, code in sorted(levels.items())}
            for name, levels in sums.codes.items()
        },
        missing={columns[place]: count for place, count in missing.items() if count},
        repeated=units.repeated(),
        late=late,
    )


def _within_plan(batch: Batch, looks: int) -> tuple[Batch, int]:
    """Return the batch without the rows after the last look, and their number."""
    if batch.periods is None or not len(batch.periods) or int(batch.periods.max()) < looks:
        return batch, 0
    kept = batch.periods < looks
    return batch.where(kept), int(len(kept) - kept.sum())


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
        """Return columns minus their means in the first batch, to keep precision; 0 for missing values."""
        if not self.shifts and len(values[0]):
            self.shifts = [_mean(column) for column in values]
        shifts = self.shifts or [0.0] * len(values)
        return [_zero_if_missing(column - shift) for column, shift in zip(values, shifts, strict=True)]

    def add(self, name: str, groups: Codes | None, arms: Codes, shifted: list[Numbers | None]) -> None:
        for (group, arm), rows in _cells(groups, arms):
            chosen = shifted if rows is None else [None if each is None else each.take(rows) for each in shifted]
            count = len(arms) if rows is None else len(rows)
            self.sums.setdefault((name, group, arm), _Sum(len(shifted), self.pairs)).add(count, chosen)

    def moments_of(self, name: str, group: int, arms: int, used: list[int]) -> tuple[Moments, ...]:
        """Return the moments of the used columns of every arm in a group."""
        found = (self.sums.get((name, group, arm)) for arm in range(arms))
        return tuple(no_rows(len(used)) if each is None else each.moments(self.shifts, used) for each in found)


class _Sum:
    """The sums of shifted values and of the products of the column pairs that a design needs.

    Other products stay 0 and must not be used: computing them would cost half as much again.
    """

    def __init__(self, columns: int, pairs: Sequence[Pair]) -> None:
        self.count = 0
        self.pairs = pairs
        self.sums = np.zeros(columns)
        self.products = np.zeros((columns, columns))

    def add(self, count: int, shifted: list[Numbers | None]) -> None:
        """Add rows, None for a column of zeros; without BLAS, whose results depend on the number of threads."""
        self.count += count
        self.sums += [0.0 if column is None else column.sum() for column in shifted]
        for one, two in self.pairs:
            first, second = shifted[one], shifted[two]
            if first is not None and second is not None:
                self.products[one, two] += np.einsum("i,i->", first, second)

    def moments(self, shifts: Sequence[float], used: list[int]) -> Moments:
        """Return the moments of the used columns; an indicator is not shifted."""
        means = self.sums / self.count
        products = np.zeros_like(self.products)
        for one, two in self.pairs:
            centred = self.products[one, two] - self.sums[one] * means[two]
            products[one, two] = products[two, one] = max(centred, 0.0) if one == two else centred
        means[: len(shifts)] += shifts
        return Moments(self.count, means[used], products[np.ix_(used, used)])


def pairs_of(design: Design) -> list[Pair]:
    """Return the pairs of columns whose products are needed: each with itself, those of one outcome, its covariates."""
    index = {name: number for number, name in enumerate(numeric_columns(design))}
    indicators = {name: len(index) + number for number, name in enumerate(covariates_of(design))}
    pairs = {(number, number) for number in range(len(index) + len(indicators))}
    for name, outcome in design.outcomes.items():
        together = [index[each] for each in (name, outcome.per, *outcome.covariates) if each is not None]
        together += [indicators[each] for each in outcome.covariates]
        pairs |= set(combinations(sorted(set(together)), 2))
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


def _indicator(column: Numbers) -> Numbers | None:
    """Return 1 where a value is missing, else 0; None if none is missing."""
    if not len(column) or not np.isnan(column.min()):
        return None
    return np.isnan(column).astype(np.float64)


def _count(indicator: Numbers | None) -> int:
    return 0 if indicator is None else int(indicator.sum())


def _mean(column: Numbers) -> float:
    known = column[~np.isnan(column)] if np.isnan(column.min()) else column
    return float(known.mean()) if len(known) else 0.0


def _zero_if_missing(column: Numbers) -> Numbers:
    return np.nan_to_num(column, nan=0.0) if len(column) and np.isnan(column.min()) else column
