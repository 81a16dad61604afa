"""Design effects of a batch and a reference with common units."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from lab.predictions.columns import numbers_of
from lab.predictions.units import Codes, codes_of, units_of
from lab.reference.reference import Reference
from lab.reference.rows import Kind
from lab.stats.shift.dependence import Inflation, correlation_of_levels, correlation_of_pairs, reduced_for_shared_units


def inflations_between(
    reference: Reference, batch: pa.Table, kinds: Mapping[str, Kind], factors: Mapping[str, float]
) -> dict[str, Inflation]:
    """Return each column's design effects of both samples, reduced for common units.

    Common units are counted in the reference's sample of rows, and assumed equally frequent in the rest.
    """
    inflations = {name: (reference.facts.columns[name].inflation, factors[name]) for name in kinds}
    if all(max(pair) == 1 for pair in inflations.values()):
        return inflations
    old, new = _pairs(reference, batch)
    rows = reference.facts.rows, batch.num_rows
    pairs = len(old) * reference.facts.rows / max(reference.rows.num_rows, 1)
    return {
        name: reduced_for_shared_units(
            rows, inflations[name], correlation=_correlation(reference, batch, name, kind, old, new), pairs=pairs
        )
        for name, kind in kinds.items()
    }


def _pairs(reference: Reference, batch: pa.Table) -> tuple[Codes, Codes]:
    """Return the pairs of row indices of the same unit, in the reference's sample and in the batch."""
    names = [name for name in reference.facts.inputs.unit if name in batch.column_names]
    if not names or len(names) < len(reference.facts.inputs.unit):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    texts = [pa.table({name: table[name].cast(pa.string()) for name in names}) for table in (reference.rows, batch)]
    units = units_of(pa.concat_tables(texts), reference.facts.inputs)
    assert units is not None  # the columns exist, see above
    old, new = units[: reference.rows.num_rows], units[reference.rows.num_rows :]
    order = np.argsort(old, kind="stable")
    first, last = (np.searchsorted(old[order], new, side=side) for side in ("left", "right"))
    counts = last - first
    starts = np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return order[starts + np.arange(int(counts.sum()))], np.repeat(np.arange(len(new)), counts)


def _correlation(reference: Reference, batch: pa.Table, name: str, kind: Kind, old: Codes, new: Codes) -> float:
    if name not in reference.rows.column_names or len(old) == 0:
        return 0.0
    sides = reference.rows[name].take(pa.array(old)), batch[name].take(pa.array(new))
    if kind == "number":
        first, second = (numbers_of(side) for side in sides)
        known = ~np.isnan(first) & ~np.isnan(second)
        return correlation_of_pairs(first[known], second[known])
    both = codes_of(pa.chunked_array([chunk for side in sides for chunk in side.cast(pa.string()).chunks], pa.string()))
    return correlation_of_levels(both[: len(old)], both[len(old) :])
