"""Columns, row order, units and design effects of a reference or a batch."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.core.schema import FeatureSchema
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import LABEL, MODELS, score_column
from lab.predictions.units import Codes, codes_of, units_of
from lab.stats.shift.dependence import (
    inflation_by_unit,
    inflation_by_unit_of_levels,
    inflation_in_time,
    inflation_in_time_of_levels,
    midranks,
)

Kind = Literal["number", "boolean", "category"]
Numbers = NDArray[np.float64]

MIDNIGHT = " 00:00:00.000000"
STREAM_SHARE = 0.5  # above this share of distinct moments, rows are treated as a stream


def compared_columns(schema: FeatureSchema) -> list[str]:
    """Return the columns that are tested for drift: features and groups."""
    return sorted({*schema.features, *schema.groups})


def kind_of(name: str, schema: FeatureSchema, kept: pa.DataType) -> Kind:
    """Return the kind of a column; that of a group that is not a feature follows from its type."""
    if name in schema.features:
        return schema.features[name].kind
    return "number" if pa.types.is_integer(kept) or pa.types.is_floating(kept) else "category"


def keys_in(table: pa.Table, schema: FeatureSchema) -> list[str]:
    """Return the key columns that the table has: the moment first, then the unit."""
    names = [*([schema.moment] if schema.moment else []), *schema.unit]
    return [name for name in names if name in table.column_names]


def in_order(table: pa.Table, schema: FeatureSchema) -> pa.Table:
    """Return the rows sorted by time and unit, so that results do not depend on the order of a file."""
    keys = keys_in(table, schema)
    return table.sort_by([(name, "ascending") for name in keys]) if keys and table.num_rows else table


def moments_of(table: pa.Table, schema: FeatureSchema) -> NDArray[np.datetime64] | None:
    """Return the moment of each row; None when the table has none."""
    if not schema.moment or schema.moment not in table.column_names:
        return None
    if missing := table[schema.moment].null_count:
        raise SourceError(
            f"{schema.moment} is missing in {missing} of {table.num_rows} rows, expected a moment in each. "
            "Cure: drop these rows, or the whole column."
        )
    return np.asarray(table[schema.moment].cast(pa.timestamp("us")).to_numpy(), dtype="datetime64[us]")


def order_in_time(table: pa.Table, schema: FeatureSchema, rng: np.random.Generator) -> Codes | None:
    """Return the row indices in time order; rows of the same moment in random order. None without moments.

    Sorting them by identifier would add another order: new customers have the largest numbers.
    """
    moments = moments_of(table, schema)
    if moments is None:
        return None
    order: Codes = np.lexsort((rng.permutation(table.num_rows), moments))
    return order


def is_stream(table: pa.Table, schema: FeatureSchema) -> bool:
    """Return whether most rows have distinct moments, so that consecutive rows may be correlated."""
    moments = moments_of(table, schema)
    return moments is not None and len(np.unique(moments)) > STREAM_SHARE * max(table.num_rows, 2)


def inflation_of(table: pa.Table, name: str, *, kind: Kind, units: Codes | None, stream: bool) -> float:
    """Return the design effect of correlated rows on the tests of a column; the rows are sorted."""
    if table.num_rows == 0:
        return 1.0
    if kind == "number":
        values = numbers_of(table[name])
        present = ~np.isnan(values)
        ranks = midranks(values[present])
        factors = [inflation_in_time(ranks)] if stream else []
        factors += [inflation_by_unit(ranks, units[present])] if units is not None else []
    else:
        levels = codes_of(table[name].cast(pa.string()))
        factors = [inflation_in_time_of_levels(levels)] if stream else []
        factors += [inflation_by_unit_of_levels(levels, units)] if units is not None else []
    return max([1.0, *factors])


def inflations_of(table: pa.Table, kinds: Mapping[str, Kind], schema: FeatureSchema) -> dict[str, float]:
    """Return the design effect of every column, 1 when no unit repeats and rows are not a stream."""
    units, stream = units_of(table, schema), is_stream(table, schema)
    if units is not None and len(np.unique(units)) == table.num_rows:
        units = None
    if units is None and not stream:
        return dict.fromkeys(kinds, 1.0)
    return {name: inflation_of(table, name, kind=kind, units=units, stream=stream) for name, kind in kinds.items()}


def scored_models(table: pa.Table) -> list[str]:
    """Return the models whose scores are in the table."""
    return [model for model in MODELS if score_column(model) in table.column_names]


def labels_of(table: pa.Table) -> Numbers:
    """Return the label of each row, NaN when it is not known yet."""
    return numbers_of(table[LABEL]) if LABEL in table.column_names else np.full(table.num_rows, np.nan)


def identifiers_of(table: pa.Table, schema: FeatureSchema, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return the keys of some rows as text."""
    chosen = table.select(keys_in(table, schema)).take(pa.array(rows, pa.int64()))
    texts = {name: chosen[name].cast(pa.string()).to_pylist() for name in chosen.column_names}
    return [{name: texts[name][index].removesuffix(MIDNIGHT) for name in texts} for index in range(len(rows))]


def joined(features: pa.Table, predictions: pa.Table, *, keys: Sequence[str]) -> pa.Table:
    """Return the feature rows with label and scores; both tables must have the same rows, in any order."""
    order = [(name, "ascending") for name in keys]
    rows, scored = features.sort_by(order), predictions.sort_by(order)
    if not rows.select(list(keys)).equals(scored.select(list(keys))):
        raise SourceError(
            f"{rows.num_rows} feature rows and {scored.num_rows} predictions have different keys, "
            f"expected the same {', '.join(keys)} in both. Cure: dvc repro evaluate"
        )
    for name in [LABEL, *map(score_column, scored_models(scored))]:
        rows = rows.drop_columns([name]) if name in rows.column_names else rows
        rows = rows.append_column(name, scored[name])
    return rows
