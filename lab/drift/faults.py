"""Data faults: damaged columns and batches, to be mended upstream and not trained on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.drift.set_aside import SetAside
from lab.predictions.columns import numbers_of
from lab.predictions.units import codes_of, units_of
from lab.reference.columns import counts_of
from lab.reference.reference import Reference
from lab.reference.rows import compared_columns, moments_of
from lab.reference.settings import FaultLimits
from lab.stats.core.proportions import wilson_interval
from lab.stats.shift.distributions import Distribution

Kind = Literal["empty", "unreadable", "missing", "unit changed", "out of range", "unseen", "constant"]
Numbers = NDArray[np.float64]

# Tens, and the steps of time and of bytes. Smaller steps (miles, pounds, currencies) are like natural changes.
FACTORS = (10, 12, 24, 60, 100, 1000, 1024, 3600, 10_000, 86_400, 1_000_000)
LEVEL = 0.999  # of the interval whose lower end is compared with a limit, so that few rows are no fault
CHANCE = 1e-6  # a constant is a fault when so many equal rows are less likely by chance
NEARER = 5  # times nearer to 0 than every value of the reference
RAREST = 0.03  # the smallest share assumed of a value, so that three equal rows are no fault
DECILES = np.arange(1, 10) / 10
LONGEST = 40


@dataclass(frozen=True)
class Fault:
    """A fault of a column, or of the whole batch (`column` is None), with what was measured and its limit."""

    column: str | None
    kind: Kind
    value: float | None
    limit: float | None
    text: str


@dataclass(frozen=True)
class Judge:
    """What all columns of a batch share: limits, rows of the reference, distinct units per row, calendar columns."""

    limits: FaultLimits
    reference_rows: int
    independent: float
    calendar: frozenset[str]

    def seasonal(self, name: str) -> bool:
        """Return whether a column may have one value, or new ones, because of the time of its rows."""
        return name in self.calendar or name in self.limits.seasonal

    def surely_above(self, count: int, rows: int, limit: float) -> bool:
        """Return whether a share of rows is above a limit, also at the lower end of its interval."""
        units = max(1, round(rows * self.independent))
        return rows > 0 and wilson_interval((round(count / rows * units), units), level=LEVEL)[0] > limit

    def never_by_chance(self, share: float, rows: int) -> bool:
        """Return whether so many equal rows are a fault where the reference has this share of them."""
        below = share <= self.limits.constant
        return below and max(share, RAREST) ** (rows * self.independent) < CHANCE


def find_faults(reference: Reference, batch: pa.Table, limits: FaultLimits, set_aside: SetAside) -> list[Fault]:
    """Return the faults of a batch, those of the whole batch first, then by column."""
    faults = [*_of_batch(batch, limits, set_aside)]
    if batch.num_rows == 0:
        return faults
    units = units_of(batch, reference.facts.inputs)
    independent = len(np.unique(units)) / len(units) if units is not None else 1.0
    judge = Judge(limits, reference.facts.rows, independent, frozenset(calendar_columns(reference)))
    for name in compared_columns(reference.facts.inputs):
        if name in batch.column_names:
            faults += _of_column(reference, name, batch[name], judge)
    return faults


def calendar_columns(reference: Reference) -> Iterator[str]:
    """Yield the columns with one value on each day, such as a month: they change with time, without any damage."""
    moments = moments_of(reference.rows, reference.facts.inputs)
    if moments is None:
        return
    days, rows = np.unique(moments.astype("datetime64[D]"), return_inverse=True)
    if len(days) in {1, len(rows)}:
        return
    for name in compared_columns(reference.facts.inputs):
        codes = codes_of(reference.rows[name].cast(pa.string()))
        if len(np.unique(rows * (int(codes.max()) + 1) + codes)) == len(days) < len(rows):
            yield name


def _of_batch(batch: pa.Table, limits: FaultLimits, set_aside: SetAside) -> Iterator[Fault]:
    if set_aside.count and set_aside.share > limits.unreadable:
        text = f"{set_aside.count} of {set_aside.lines} lines cannot be read: {set_aside.reasons[0].text}"
        yield Fault(None, "unreadable", set_aside.share, limits.unreadable, text)
    if batch.num_rows == 0:
        yield Fault(None, "empty", 0, None, "the batch has no row")


def _of_column(reference: Reference, name: str, column: pa.ChunkedArray, judge: Judge) -> Iterator[Fault]:
    facts, values = reference.facts.columns[name], None
    if facts.kind == "number":
        values = numbers_of(column)
        present = len(values) - int(np.isnan(values).sum())
    else:
        present = len(column) - column.null_count
    yield from _missing(name, len(column) - present, len(column), facts.missing / judge.reference_rows, judge)
    if present == 0:
        return
    found: Iterable[Fault] = ()
    if values is not None and (known := reference.numbers.get(name)) is not None:
        found = _of_numbers(name, known, values[~np.isnan(values)], judge)
    elif levels := reference.levels.get(name):
        found = _of_levels(reference, name, levels, column, judge)
    yield from list(found)[:1]  # the first explains the others


def _missing(name: str, missing: int, rows: int, before: float, judge: Judge) -> Iterator[Fault]:
    limit = before + judge.limits.rows
    if judge.surely_above(missing, rows, limit) or (missing == rows and judge.never_by_chance(before, rows)):
        text = f"{missing / rows:.0%} of the rows have no value, {before:.0%} in the reference"
        yield Fault(name, "missing", missing / rows, min(limit, 1.0), text)


def _of_numbers(name: str, known: Distribution, values: Numbers, judge: Judge) -> Iterator[Fault]:
    if name not in judge.calendar:
        yield from _unit_changed(name, known, values, judge)
    yield from _out_of_range(name, known, values, judge)
    if not judge.seasonal(name) and values.min() == values.max():
        rows = np.diff(known.below, prepend=0)[known.values == values[0]]
        yield from _constant(name, f"{values[0]:.6g}", int(rows.sum()) / known.rows, len(values), judge)


def _of_levels(
    reference: Reference, name: str, levels: Mapping[str, int], column: pa.ChunkedArray, judge: Judge
) -> Iterator[Fault]:
    counts, _ = counts_of(column)
    rows = sum(counts.values())
    unseen = {level: count for level, count in counts.items() if level not in levels}
    if judge.seasonal(name):
        return
    if unseen and reference.facts.columns[name].kind == "category":
        limit = judge.limits.rows + _expected_unseen(reference, name, levels)
        if judge.surely_above(sum(unseen.values()), rows, limit):
            share, example = sum(unseen.values()) / rows, max(unseen, key=lambda level: (unseen[level], level))
            text = f"{share:.0%} of the values are not in the reference, such as {example[:LONGEST]!r}"
            yield Fault(name, "unseen", share, limit, text)
    if len(counts) == 1:
        (level,) = counts
        yield from _constant(name, level[:LONGEST], levels.get(level, 0) / sum(levels.values()), rows, judge)


def _expected_unseen(reference: Reference, name: str, levels: Mapping[str, int]) -> float:
    """Return the share of values that are new by chance: of the reference, the share of levels met once (Good, 1953).

    Counted by row and by unit, the larger one: a unit's rows share its levels, and new units bring new ones.
    """
    by_row = sum(count == 1 for count in levels.values()) / sum(levels.values())
    units = units_of(reference.rows, reference.facts.inputs)
    if units is None:
        return by_row
    present = reference.rows[name].is_valid().to_numpy()
    pairs = np.unique(np.column_stack([codes_of(reference.rows[name])[present], units[present]]), axis=0)
    _, units_of_level = np.unique(pairs[:, 0], return_counts=True)
    return max(by_row, float(np.sum(units_of_level == 1)) / max(len(pairs), 1))


def _constant(name: str, value: str, before: float, rows: int, judge: Judge) -> Iterator[Fault]:
    if judge.never_by_chance(before, rows):
        text = f"every value is {value}, as {before:.0%} of the reference"
        yield Fault(name, "constant", 1.0, judge.limits.constant, text)


def _out_of_range(name: str, known: Distribution, values: Numbers, judge: Judge) -> Iterator[Fault]:
    """Yield a fault when values are far outside of the reference's range.

    Far is by more than its width and its largest size; or nearer to 0 than a range of positive numbers by a factor of
    at least 5, and by more than its largest value is above its smallest.
    """
    finite = known.values[np.isfinite(known.values)]
    low, high = (float(finite[0]), float(finite[-1])) if len(finite) else (0.0, 0.0)
    with np.errstate(over="ignore"):
        width = max(high - low, abs(low), abs(high)) or 1.0
        far = ((values < low - width) & (values < known.values[0])) | (
            (values > high + width) & (values > known.values[-1])
        )
    if low > 0:
        far |= np.abs(values) < low / max(NEARER, high / low)
    if judge.surely_above(int(far.sum()), len(values), judge.limits.rows):
        share, example = float(far.mean()), float(np.sort(values[far])[far.sum() // 2])
        text = f"{share:.0%} of the values are far outside of the reference's {low:.6g} to {high:.6g}: {example:.6g}"
        yield Fault(name, "out of range", share, judge.limits.rows, text)


def _unit_changed(name: str, known: Distribution, values: Numbers, judge: Judge) -> Iterator[Fault]:
    """Yield a fault when all deciles differ from those of the reference by about one known factor.

    The distance from it is a mean over the deciles, in logarithms. Zeros are left out, because they have no unit.
    """
    reference = _deciles(known.values, np.diff(known.below, prepend=0))
    current = _deciles(values, np.ones(len(values)))
    if reference is None or current is None:
        return
    middle = reference[len(reference) // 2]
    sizes = np.abs(values[values != 0])
    for sign, written in ((1, "{:,} times"), (-1, "1/{:,} of")):
        beyond = int(np.sum(sizes > middle if sign > 0 else sizes < middle))
        distances = np.abs(np.log(current / reference) - sign * np.log(FACTORS)[:, None]).mean(axis=1)
        nearest = int(distances.argmin())
        if distances[nearest] <= judge.limits.unit and judge.surely_above(beyond, len(sizes), 0.5):
            text = f"the values are {written.format(FACTORS[nearest])} those of the reference"
            yield Fault(name, "unit changed", float(distances[nearest]), judge.limits.unit, text)


def _deciles(values: Numbers, weights: NDArray[Any]) -> Numbers | None:
    """Return the deciles of the sizes of weighted numbers without zeros and infinite ones; None when none is left."""
    used = (values != 0) & np.isfinite(values)
    order = np.argsort(np.abs(values[used]), kind="stable")
    sizes, below = np.abs(values[used])[order], np.cumsum(weights[used][order])
    return sizes[np.searchsorted(below, DECILES * below[-1])] if len(sizes) else None
