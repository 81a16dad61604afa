"""Measure the drift of one column between two samples: test, effect sizes, bins."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.contingency import SharesTest, compare_counts, compare_shares, pool_rare
from lab.stats.shift.dependence import NO_INFLATION, Inflation, joint_inflation
from lab.stats.shift.distributions import Distribution, distribution_of
from lab.stats.shift.divergences import diverge
from lab.stats.shift.ranks import (
    Merged,
    count_in_bins,
    count_per_value,
    kolmogorov_smirnov,
    largest_single_change,
    merge_distributions,
    quantile_edges,
    robust_spread,
    tails_test,
    wasserstein_distance,
)

FEW_VALUES = 20
TESTS_OF_NUMBERS = 3
LEVELS_SHOWN = 100
EVERY_DIGIT = 17
WRITTEN_OUT_BELOW = 1e12
SMALLEST_SCALE = 1e-100  # squares of smaller values underflow, those of values above its inverse overflow

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Bin:
    """The rows of both samples in a bin."""

    name: str
    reference: int
    current: int


@dataclass(frozen=True)
class Shift:
    """The drift of a column: one p-value (None when no test is possible), effect sizes by name, remarks, bins to plot.

    Sizes that the kind of column does not have are absent.
    """

    p_value: float | None
    sizes: dict[str, float]
    remarks: tuple[str, ...]
    bins: tuple[Bin, ...]

    @property
    def rows(self) -> tuple[int, int]:
        """The rows of the reference and of the current sample."""
        return sum(part.reference for part in self.bins), sum(part.current for part in self.bins)


def measure_numbers(reference: Numbers, current: Numbers, *, inflation: Inflation = NO_INFLATION) -> Shift:
    """Return the shift of a numeric column, where NaN is a missing value.

    The p-value is the smallest of three tests (Kolmogorov–Smirnov, tails, missing) times three. Columns with at most 20
    distinct values are tested like levels, but have the distances of numbers too. `inflation` is the design effect of
    correlated rows.
    """
    present = reference[~np.isnan(reference)]
    fitted = distribution_of(present) if len(present) else None
    return measure_against(fitted, len(reference) - len(present), current, inflation=inflation)


def measure_against(
    reference: Distribution | None, absent: int, current: Numbers, *, inflation: Inflation = NO_INFLATION
) -> Shift:
    """Return the shift of a numeric column from a reference given as a distribution and a count of missing values."""
    present = current[~np.isnan(current)]
    missing = (absent, len(current) - len(present))
    if reference is None or len(present) == 0:
        return _without_values((reference.rows if reference else 0, len(present)), missing)
    merged = merge_distributions(reference, distribution_of(present))
    if len(merged.values) <= FEW_VALUES:
        return _measure_few_values(merged, missing, inflation)
    return _measure_merged(merged, missing, inflation)


def measure_levels(
    reference: Counts,
    current: Counts,
    *,
    names: Sequence[str],
    missing: tuple[int, int] = (0, 0),
    inflation: Inflation = NO_INFLATION,
) -> Shift:
    """Return the shift of a categorical column, given as rows per level; missing is a level of its own.

    Levels too rare to test are pooled in the sizes too, so that thousands of them do not diverge by chance.
    """
    table = np.array([[*reference, missing[0]], [*current, missing[1]]], dtype=np.int64)
    totals = table.sum(axis=1)
    if totals.min() == 0:
        return Shift(None, {}, (_no_rows(totals.tolist()),), _bins_of_levels(table, names))
    test = compare_counts(table, inflation=joint_inflation(totals.tolist(), inflation))
    absence = _compare_missing(missing, totals.tolist(), inflation)
    unseen = float(table[1, :-1][table[0, :-1] == 0].sum() / totals[1])
    sizes = _sizes_of_counts(pool_rare(table)[0]) | {"missing": abs(absence.difference), "unseen": unseen}
    remarks = (test.reason,) if test.reason else ()
    return Shift(test.p_value, sizes, remarks, _bins_of_levels(table, names))


def _measure_few_values(merged: Merged, missing: tuple[int, int], inflation: Inflation) -> Shift:
    names = _short_names(merged.values)
    shift = measure_levels(*count_per_value(merged), names=names, missing=missing, inflation=inflation)
    distances, remarks = _distances(merged)
    sizes = {**shift.sizes, **distances, "kolmogorov_smirnov": kolmogorov_smirnov(merged).distance}
    return replace(shift, sizes=sizes, remarks=(*shift.remarks, *remarks))


def _measure_merged(merged: Merged, missing: tuple[int, int], inflation: Inflation) -> Shift:
    rank_test = kolmogorov_smirnov(merged, inflation=inflation)
    tails = tails_test(merged, inflation=joint_inflation(merged.rows, inflation))
    rows = [present + absent for present, absent in zip(merged.rows, missing, strict=True)]
    absence = _compare_missing(missing, rows, inflation)
    edges = quantile_edges(merged)
    counts = count_in_bins(merged, edges)
    distances, remarks = _distances(merged)
    sizes = {
        **_sizes_of_counts(np.stack(counts)),
        **distances,
        "kolmogorov_smirnov": rank_test.distance,
        "largest_change": largest_single_change(merged),
        "missing": abs(absence.difference),
        "tails": tails.outer_change,
    }
    p_values = [p for p in (rank_test.p_value, tails.test.p_value, absence.p_value) if p is not None]
    p_value = min(1.0, TESTS_OF_NUMBERS * min(p_values))
    return Shift(p_value, sizes, remarks, _bins_of_numbers(edges, counts, missing))


def _sizes_of_counts(table: Counts) -> dict[str, float]:
    sizes = diverge(table[0], table[1])
    return {
        "population_stability": sizes.population_stability,
        "jensen_shannon": sizes.jensen_shannon,
        "hellinger": sizes.hellinger,
        "largest_change": sizes.largest_change,
    }


def _distances(merged: Merged) -> tuple[dict[str, float], tuple[str, ...]]:
    finite, infinite = _finite_part(merged)
    remarks = (f"{infinite} infinite values, excluded from the distance",) if infinite else ()
    if finite is None:
        return {}, remarks
    scale = float(np.abs(finite.values[[0, -1]]).max()) or 1.0
    extreme = not SMALLEST_SCALE < scale < 1 / SMALLEST_SCALE
    if extreme:
        finite = replace(finite, values=finite.values / scale, spread=finite.spread / scale)
    distance = wasserstein_distance(finite)
    scales = {"wasserstein": finite.spread, "wasserstein_robust": robust_spread(finite)}
    return {name: distance / scale for name, scale in scales.items() if scale > 0}, remarks


def _finite_part(merged: Merged) -> tuple[Merged | None, int]:
    """Return the finite values (None when a sample has none), and the number of infinite ones."""
    kept = np.isfinite(merged.values)
    if kept.all():
        return merged, 0
    counts = [counted[kept] for counted in count_per_value(merged)]
    infinite = sum(merged.rows) - int(sum(counted.sum() for counted in counts))
    if min(counted.sum() for counted in counts) == 0:
        return None, infinite
    below = [counted.cumsum() for counted in counts]
    return replace(merged, values=merged.values[kept], reference_below=below[0], current_below=below[1]), infinite


def _compare_missing(missing: tuple[int, int], rows: Sequence[int], inflation: Inflation) -> SharesTest:
    joint = joint_inflation(rows, inflation)
    return compare_shares(reference=(missing[0], rows[0]), current=(missing[1], rows[1]), inflation=joint)


def _without_values(present: tuple[int, int], missing: tuple[int, int]) -> Shift:
    rows = [count + absent for count, absent in zip(present, missing, strict=True)]
    bins = (Bin("present", *present), Bin("missing", *missing))
    if min(rows) == 0:
        return Shift(None, {}, (_no_rows(rows),), bins)
    absence = _compare_missing(missing, rows, NO_INFLATION)
    where = " and ".join(_names_of_empty(present))
    return Shift(absence.p_value, {"missing": abs(absence.difference)}, (f"no value in {where}",), bins)


def _no_rows(rows: Sequence[int]) -> str:
    return f"no row in {' and '.join(_names_of_empty(rows))}"


def _names_of_empty(rows: Sequence[int]) -> list[str]:
    return [name for name, count in zip(("reference", "current"), rows, strict=True) if count == 0]


def _bins_of_numbers(edges: Numbers, counts: tuple[Counts, Counts], missing: tuple[int, int]) -> tuple[Bin, ...]:
    texts = _short_names(edges)
    inner = [f"over {low} to {high}" for low, high in pairwise(texts)]
    names = [f"up to {texts[0]}", *inner, f"over {texts[-1]}"] if texts else ["all"]
    bins = [Bin(name, int(old), int(new)) for name, old, new in zip(names, *counts, strict=True)]
    return (*bins, Bin("missing", *missing)) if any(missing) else tuple(bins)


def _short_names(values: Numbers) -> list[str]:
    """Return the numbers with the fewest digits that keep them distinct."""
    written = ([_written(float(value), digits) for value in values] for digits in range(3, EVERY_DIGIT))
    exact = [_written(float(value), EVERY_DIGIT) for value in values]
    return next((names for names in written if len(set(names)) == len(names)), exact)


def _written(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e" in text and 1 <= abs(value) < WRITTEN_OUT_BELOW else text


def _bins_of_levels(table: Counts, names: Sequence[str]) -> tuple[Bin, ...]:
    order = sorted(range(len(names)), key=lambda level: -int(table[:, level].sum()))
    shown = sorted(order[:LEVELS_SHOWN])
    bins = [Bin(names[level], int(table[0, level]), int(table[1, level])) for level in shown]
    if hidden := order[LEVELS_SHOWN:]:
        bins.append(Bin(f"{len(hidden)} others", int(table[0, hidden].sum()), int(table[1, hidden].sum())))
    if table[:, -1].any():
        bins.append(Bin("missing", int(table[0, -1]), int(table[1, -1])))
    return tuple(bins)
