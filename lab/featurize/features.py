"""Build the feature tables from the query of the task or from a flat table."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import Field

from lab.core.errors import ParamsError, SourceError
from lab.core.params import Params
from lab.core.schema import Feature, FeatureSchema, FoldRule
from lab.core.tables import tables_in
from lab.dataset.features import ROW, Features
from lab.dataset.tables import Table
from lab.dataset.windows import SplitPlan
from lab.engine.engine import columns_of, connected, one_row, quoted, write_query
from lab.engine.stability import refuse_unstable
from lab.engine.time_limit import time_limit
from lab.featurize.division import PARTS, check_unique_units, key_sql, positive_shares, split_rows
from lab.featurize.flat import flat_query
from lab.featurize.shares import TRAIN
from lab.featurize.snapshots import create_calendar

SLOW = (
    "features.sql of the task ran longer than {:g} minutes and was stopped. "
    "Cure: look for a join without a condition, or raise features.minutes in the task file."
)
DECIMALS = 9  # rounding removes the last bits of divisions, which may differ between machines
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
KINDS: Mapping[str, Literal["number", "boolean", "category"]] = {
    "BOOLEAN": "boolean",
    "VARCHAR": "category",
    "DOUBLE": "number",
    "FLOAT": "number",
    **dict.fromkeys(WHOLE, "number"),
}
FOLDS_BY_SPLIT: Mapping[str, Literal["time", "group", "stratified"]] = {
    "time": "time",
    "group": "group",
    "random": "stratified",
}


class FeaturizeParams(Params):
    """The missing share from which a column is dropped."""

    high_missing_share: float = Field(gt=0, le=1)


@dataclass(frozen=True)
class MadeFeatures:
    """The schema, rows and positive shares by part, and the dropped columns with the reason."""

    schema: FeatureSchema
    rows: dict[str, int]
    positive_share: dict[str, float]
    without_label: int
    left_out: dict[str, str]


def make_features(
    prepared: Path,
    features: Features,
    tables: Mapping[str, Table],
    plan: SplitPlan,
    *,
    into: Path,
    high_missing_share: float,
    seed: int,
) -> MadeFeatures:
    """Write train, test and current into a folder; all checks run before the first write."""
    with connected(tables_in(prepared), scratch=into / ".spill", numbered=False) as connection:
        query = _query(connection, features, tables, plan)
        with time_limit(features.minutes, stop=connection.interrupt, message=SLOW.format(features.minutes)):
            kinds = _kinds_of(connection, query, features)
            split_rows(connection, query, features, plan, seed=seed)
        check_unique_units(connection, features)
        shares = positive_shares(connection, features)
        left_out = _useless_columns(connection, kinds, features, high_missing_share=high_missing_share)
        kept = {name: kind for name, kind in kinds.items() if name not in left_out or name in features.groups}
        rows = {
            part: write_query(connection, _part_sql(features, kept, number), into / f"{part}.parquet")
            for number, part in enumerate(PARTS)
        }
        without_label = one_row(connection, "select count(*) from work.made where label is null")[0]
    used = {name: Feature(kind=KINDS[kind]) for name, kind in kinds.items() if name not in left_out}
    return MadeFeatures(_schema(features, used, plan), rows, shares, without_label, left_out)


def _query(
    connection: duckdb.DuckDBPyConnection, features: Features, tables: Mapping[str, Table], plan: SplitPlan
) -> str:
    if features.query is None:
        return flat_query(features, tables[features.table or ""])
    if features.snapshot_every_days is not None:
        create_calendar(connection, plan, every_days=features.snapshot_every_days, history_days=features.history_days)
    windows = ", ".join(
        f"('{part}', timestamp '{window.starts}', timestamp '{window.ends}')" for part, window in plan.windows.items()
    )
    if windows:
        connection.execute(f"create table windows as select * from (values {windows}) as parts(part, starts, ends)")
    refuse_unstable(connection, features.query, where="features.sql of the task")
    return features.query


def _kinds_of(connection: duckdb.DuckDBPyConnection, query: str, features: Features) -> dict[str, str]:
    """Return the feature columns of the query with their types in the engine, sorted by name."""
    try:
        columns = columns_of(connection, query)
    except duckdb.Error as error:
        raise ParamsError(f"features.sql of the task cannot run: {error}. Correct it there.") from error
    fixed = [*(features.unit or (ROW,)), *(["moment"] if features.moment else []), "label"]
    if lacking := [name for name in [*fixed, *features.groups] if name not in columns]:
        raise ParamsError(
            f"features.sql of the task lacks the columns {lacking}; it returns {list(columns)}. "
            "Cure: select them, or correct unit and groups."
        )
    unsupported = {name: kind for name, kind in columns.items() if name not in fixed and _plain(kind) not in KINDS}
    if unsupported:
        raise ParamsError(
            f"features.sql of the task returns {unsupported}, expected numbers, booleans or text. "
            "Cure: cast them; convert a timestamp to a number of days with date_diff."
        )
    return {name: _plain(columns[name]) for name in sorted(columns) if name not in fixed}


def _plain(kind: str) -> str:
    return "DOUBLE" if kind.startswith("DECIMAL") else kind


def _useless_columns(
    connection: duckdb.DuckDBPyConnection, kinds: Mapping[str, str], features: Features, *, high_missing_share: float
) -> dict[str, str]:
    """Return the columns without information in the training rows, with the reason."""
    if not kinds:
        raise SourceError("found no feature column, expected at least one. Cure: add columns to the table.")
    aggregates = ", ".join(f"avg(({quoted(name)} is null)::int), count(distinct {quoted(name)})" for name in kinds)
    row = one_row(connection, f"select {aggregates} from work.made where __part = {TRAIN} and label is not null")
    facts = {name: (row[2 * i], row[2 * i + 1]) for i, name in enumerate(kinds)}
    reasons = {name: _reason(*fact, features, high_missing_share=high_missing_share) for name, fact in facts.items()}
    left_out = {name: reason for name, reason in reasons.items() if reason}
    if len(left_out) == len(kinds):
        raise SourceError(f"every feature column is useless: {left_out}. Cure: add columns that vary.")
    return left_out


def _reason(missing: float, levels: int, features: Features, *, high_missing_share: float) -> str | None:
    if levels == 0:
        return "missing in every training row"
    if levels == 1 and missing == 0:
        return "constant in the training rows"
    if missing > high_missing_share and features.high_missing_columns == "drop":
        return f"missing in {100 * missing:.1f} % of the training rows, more than {100 * high_missing_share:g} %"
    return None


def _part_sql(features: Features, kinds: Mapping[str, str], number: int) -> str:
    columns = [
        *(quoted(name) for name in features.unit or (ROW,)),
        *(["moment"] if features.moment else []),
        "cast(label as tinyint) as label",
        *(f"{_stored_sql(name, kind)} as {quoted(name)}" for name, kind in kinds.items()),
    ]
    return (
        f"select {', '.join(columns)} from work.made where __part = {number} and label is not null "
        f"order by {key_sql(features)}"
    )


def _stored_sql(name: str, kind: str) -> str:
    if kind in WHOLE:
        return f"cast({quoted(name)} as bigint)"
    if kind in {"DOUBLE", "FLOAT"}:
        return f"round(cast({quoted(name)} as double), {DECIMALS}) + 0.0"  # + 0.0 turns −0.0 into 0.0
    return quoted(name)


def _schema(features: Features, used: dict[str, Feature], plan: SplitPlan) -> FeatureSchema:
    folds = FoldRule(
        kind=FOLDS_BY_SPLIT[plan.kind], horizon_days=plan.horizon_days, group=plan.group, reason=plan.reason
    )
    return FeatureSchema(
        question=features.question,
        unit=features.unit or (ROW,),
        moment="moment" if features.moment else None,
        positive=features.positive,
        groups=features.groups,
        features=used,
        folds=folds,
    )
