"""Match the rows of two revisions' test windows by their keys."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lab.core.errors import LabError, SourceError
from lab.dataset.features import ROW
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import LABEL
from lab.predictions.units import Codes, numbered, units_of
from lab.stats.core.clusters import count_units, repeated_units
from ops.compare.predicted import FEATURES, Predictions, Store, briefly

Places = NDArray[np.int64]

Features = Literal["the same", "made otherwise", "of other data"]


@dataclass(frozen=True)
class TestRows:
    """How the rows of both test windows relate, and which of them can be compared; `same` says that all can.

    `units` counts the units of the compared rows.

    `features` says whether their features are of the same bytes, are made otherwise of the same data, or come of other
    data. `features_differ` counts rows; it is None where it was not checked or is unknown, which `note` explains.
    """

    same: bool
    in_base: int
    in_head: int
    in_both: int
    labels_differ: int
    features: Features
    features_differ: int | None
    compared: int
    note: str
    units: int = 0

    @property
    def only_in_base(self) -> int:
        return self.in_base - self.in_both

    @property
    def only_in_head(self) -> int:
        return self.in_head - self.in_both


@dataclass(frozen=True)
class Matched:
    """The rows that can be compared, by their positions in both tables, and their units where units repeat."""

    rows: TestRows
    base_places: Places
    head_places: Places
    units: Codes | None


def match_rows(base: Predictions, head: Predictions, *, stores: tuple[Store, Store]) -> Matched:
    """Return the rows to compare: all where both windows are the same, else those with equal labels and features.

    Where a table has no key and its data changed, the number of a row says nothing about which row it is: then only
    rows with equal labels and features count, and none where the features cannot be had.
    """
    rows, here, there = _matched(base, head, stores=stores)
    units = units_of(base.table, base.schema)
    units = None if units is None else repeated_units(units[here])
    return Matched(replace(rows, units=count_units(units, rows=rows.compared)), here, there, units)


def _matched(base: Predictions, head: Predictions, *, stores: tuple[Store, Store]) -> tuple[TestRows, Places, Places]:
    places = places_of_same(base.table, head.table, keys=base.keys)
    agree = _labels(base, places[0]) == _labels(head, places[1])
    whole = base.table.num_rows == head.table.num_rows == len(agree) and bool(agree.all())
    features = _features(stores)
    numbered = base.schema.unit == (ROW,) and not _same_md5(stores, "data/prepared")
    counts = (base.table.num_rows, head.table.num_rows, len(agree), int((~agree).sum()))
    if whole and not numbered:
        return _related(counts, features, len(agree), same=True), *places
    kept = places[0][agree], places[1][agree]
    keys = base.table.select(base.keys).take(pa.array(kept[0]))
    equal, note = _equal_features(keys, base, head, stores)
    if equal is None:
        none = np.zeros(0, dtype=np.int64)
        kept = (none, none) if numbered else kept
        return _related(counts, features, len(kept[0]), note=note), *kept
    differ, same = int((~equal).sum()), (kept[0][equal], kept[1][equal])
    return _related(counts, features, len(same[0]), same=whole and not differ, features_differ=differ), *same


def _related(
    counts: tuple[int, int, int, int],
    features: Features,
    compared: int,
    *,
    same: bool = False,
    features_differ: int | None = None,
    note: str = "",
) -> TestRows:
    return TestRows(same, *counts, features, features_differ, compared, note)


def _features(stores: tuple[Store, Store]) -> Features:
    if _same_md5(stores, FEATURES):
        return "the same"
    return "made otherwise" if _same_md5(stores, "data/prepared") else "of other data"


def _same_md5(stores: tuple[Store, Store], path: str) -> bool:
    base, head = (store.md5(path) for store in stores)
    return base is not None and base == head


def places_of_same(base: pa.Table, head: pa.Table, *, keys: Sequence[str]) -> tuple[Places, Places]:
    """Return the positions of rows with the same keys in both tables, in the order of the first."""
    one, two = base.select(list(keys)), head.select(list(keys))
    if one.schema != two.schema:
        raise SourceError(
            f"the keys are {one.schema.to_string()} in base and {two.schema.to_string()} in head, expected the same "
            "types: rows cannot be matched."
        )
    numbers = numbered(pa.concat_tables([one, two]), keys)
    first, second = numbers[: base.num_rows], numbers[base.num_rows :]
    for found in (first, second):
        if repeated := len(found) - len(np.unique(found)):
            raise SourceError(f"identifiers ({', '.join(keys)}) repeat in {repeated} rows, expected one row each")
    _, here, there = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    order = np.argsort(here, kind="stable")
    return here[order], there[order]


def equal_rows(base: pa.Table, head: pa.Table, *, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Say for each row whether all these columns are equal in both tables; missing equals missing."""
    equal = np.ones(base.num_rows, dtype=np.bool_)
    for name in columns:
        equal &= _equal(base[name], head[name])
    return equal


def _equal_features(
    keys: pa.Table, base: Predictions, head: Predictions, stores: tuple[Store, Store]
) -> tuple[NDArray[np.bool_] | None, str]:
    columns = sorted(base.schema.features.keys() & head.schema.features.keys())
    if not columns:
        return None, "the revisions share no feature: whether these rows are otherwise equal is unknown"
    if _same_md5(stores, FEATURES):
        return np.ones(keys.num_rows, dtype=np.bool_), ""
    try:
        tables = [store.table(FEATURES) for store in stores]
        found = [_rows_of(keys, table, columns) for table in tables]
    except LabError as error:
        return None, f"their features may differ, for {briefly(error)}"
    return equal_rows(*found, columns=columns), ""


def _rows_of(keys: pa.Table, table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Return the rows of a feature table in the order of the keys, all of which it must have."""
    wanted, places = places_of_same(keys, table, keys=keys.column_names)
    if len(wanted) != keys.num_rows or (absent := [name for name in columns if name not in table.column_names]):
        raise SourceError(f"{FEATURES} lacks rows or columns that {absent if wanted.size else 'the schema'} names")
    return table.select(list(columns)).take(pa.array(places))


def _equal(one: pa.ChunkedArray, two: pa.ChunkedArray) -> NDArray[np.bool_]:
    if one.type != two.type:
        return np.zeros(len(one), dtype=np.bool_)
    same = pc.fill_null(pc.equal(one, two), fill_value=False)
    both = pc.and_(pc.is_null(one, nan_is_null=True), pc.is_null(two, nan_is_null=True))
    return np.asarray(pc.or_(same, both).to_numpy(), dtype=np.bool_)


def _labels(predictions: Predictions, places: Places) -> NDArray[np.bool_]:
    labels: NDArray[np.bool_] = (numbers_of(predictions.table[LABEL]) == 1)[places]
    return labels
