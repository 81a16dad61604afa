"""What a reference and a batch are made of: which columns there are, in which order rows come, and which are alike."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.core.schema import FeatureSchema
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import LABEL, MODELS, score_column
from lab.stats.shift.dependence import (
    inflation_by_unit,
    inflation_by_unit_of_levels,
    inflation_in_time,
    inflation_in_time_of_levels,
    midranks,
)

Kind = Literal["number", "boolean", "category"]
Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]

MIDNIGHT = " 00:00:00.000000"
STREAM_SHARE = 0.5  # rows of which more than this share have a moment of their own follow one another


def judged_columns(schema: FeatureSchema) -> list[str]:
    """Return the columns that get a verdict: features and groups."""
    return sorted({*schema.features, *schema.groups})


def kind_of(name: str, schema: FeatureSchema, kept: pa.DataType) -> Kind:
    """Return how a column's values are to be understood; a group that is no feature goes by its type."""
    if name in schema.features:
        return schema.features[name].kind
    return "number" if pa.types.is_integer(kept) or pa.types.is_floating(kept) else "category"


def keys_in(table: pa.Table, schema: FeatureSchema) -> list[str]:
    """Return the columns of the table that name a row: the moment first, then the unit; some may be absent."""
    names = [*([schema.moment] if schema.moment else []), *schema.unit]
    return [name for name in names if name in table.column_names]


def in_order(table: pa.Table, schema: FeatureSchema) -> pa.Table:
    """Return the rows in the order of time and unit, so that no result depends on the order of a file."""
    keys = keys_in(table, schema)
    return table.sort_by([(name, "ascending") for name in keys]) if keys and table.num_rows else table


def units_of(table: pa.Table, schema: FeatureSchema) -> Codes | None:
    """Return a number for each row's unit, equal for equal units; None where the table does not name them."""
    if not schema.unit or any(name not in table.column_names for name in schema.unit):
        return None
    codes = np.zeros(table.num_rows, dtype=np.int64)
    for name in schema.unit:
        column = codes_of(table[name])
        codes = np.unique(codes * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1].astype(np.int64)
    return codes


def codes_of(column: pa.ChunkedArray) -> Codes:
    """Return a number for each value, equal for equal values; missing is a value of its own."""
    encoded = column.combine_chunks().dictionary_encode()
    codes: Codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def moments_of(table: pa.Table, schema: FeatureSchema) -> NDArray[np.datetime64] | None:
    """Return each row's moment; None where the table has none."""
    if not schema.moment or schema.moment not in table.column_names:
        return None
    if missing := table[schema.moment].null_count:
        raise SourceError(
            f"{schema.moment} is missing in {missing} of {table.num_rows} rows, expected a moment in each. "
            "Cure: leave these rows out, or the whole column."
        )
    return np.asarray(table[schema.moment].cast(pa.timestamp("us")).to_numpy(), dtype="datetime64[us]")


def order_in_time(table: pa.Table, schema: FeatureSchema, rng: np.random.Generator) -> Codes | None:
    """Return the places of the rows as they came; rows of one moment in an order drawn by chance.

    Sorted by their identifiers they would have an order that is not time's: new customers have the last numbers. None
    where the table has no moments.
    """
    moments = moments_of(table, schema)
    if moments is None:
        return None
    order: Codes = np.lexsort((rng.permutation(table.num_rows), moments))
    return order


def follow_one_another(table: pa.Table, schema: FeatureSchema) -> bool:
    """Return whether rows come as a stream, most with a moment of their own, so that neighbours may be alike."""
    moments = moments_of(table, schema)
    return moments is not None and len(np.unique(moments)) > STREAM_SHARE * max(table.num_rows, 2)


def inflation_of(table: pa.Table, name: str, *, kind: Kind, units: Codes | None, stream: bool) -> float:
    """Return by how much rows that are alike inflate the tests of a column; the rows are in order."""
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
    """Return the inflation of every column; 1 throughout where no unit repeats and rows are no stream."""
    units, stream = units_of(table, schema), follow_one_another(table, schema)
    if units is not None and len(np.unique(units)) == table.num_rows:
        units = None
    if units is None and not stream:
        return dict.fromkeys(kinds, 1.0)
    return {name: inflation_of(table, name, kind=kind, units=units, stream=stream) for name, kind in kinds.items()}


def scored_models(table: pa.Table) -> list[str]:
    """Return the models whose scores the table holds in every row."""
    return [model for model in MODELS if score_column(model) in table.column_names]


def labels_of(table: pa.Table) -> Numbers:
    """Return each row's label, NaN where it is not known yet."""
    return numbers_of(table[LABEL]) if LABEL in table.column_names else np.full(table.num_rows, np.nan)


def identifiers_of(table: pa.Table, schema: FeatureSchema, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return the keys of some rows as text, in the order of the schema."""
    keys = keys_in(table, schema)
    taken = {name: pc.take(table[name].cast(pa.string()), pa.array(rows, pa.int64())).to_pylist() for name in keys}
    return [{name: taken[name][place].removesuffix(MIDNIGHT) for name in keys} for place in range(len(rows))]


def joined(features: pa.Table, predictions: pa.Table, *, keys: Sequence[str]) -> pa.Table:
    """Return the feature rows with their label and scores; both tables must hold the same rows, in any order."""
    order = [(name, "ascending") for name in keys]
    rows, scored = features.sort_by(order), predictions.sort_by(order)
    if not rows.select(list(keys)).equals(scored.select(list(keys))):
        raise SourceError(
            f"the features hold {rows.num_rows} rows and the predictions {scored.num_rows}, or other ones: "
            f"expected the same {', '.join(keys)} in both. Cure: dvc repro evaluate"
        )
    for name in [LABEL, *map(score_column, scored_models(scored))]:
        rows = rows.drop_columns([name]) if name in rows.column_names else rows
        rows = rows.append_column(name, scored[name])
    return rows
