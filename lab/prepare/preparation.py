"""Prepare all tables of a task: check all contracts, then clean and measure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
from pydantic import Field

from lab.core.errors import SourceError
from lab.core.params import Params
from lab.core.tables import tables_in
from lab.dataset.features import Features
from lab.dataset.tables import Table
from lab.engine.engine import connected, one_row, write_query
from lab.prepare.cleaning import clean_sql
from lab.prepare.contract import Finding, Reading, check_contract, read_under_contract, refuse
from lab.prepare.quality import ColumnQuality, measure_quality, summarise_quality
from lab.prepare.references import with_references


class PrepareParams(Params):
    """The date that freshness rules refer to."""

    as_of: date | None = Field(strict=False)  # text in params.yaml, since DVC accepts no date


@dataclass(frozen=True)
class Preparation:
    """The counts, findings and quality of all tables, in the order of the task file."""

    rows_found: dict[str, int]
    rows_kept: dict[str, int]
    findings: tuple[Finding, ...]
    columns: tuple[ColumnQuality, ...]
    summary: dict[str, float]
    first: datetime | None
    last: datetime | None


def prepare_tables(
    raw: Path, tables: Mapping[str, Table], features: Features, *, into: Path, as_of: date | None
) -> Preparation:
    """Write the prepared tables into a folder; all broken contracts are raised before the first write."""
    scratch = into / ".spill"
    with connected(_paths(raw, tables), scratch=scratch, numbered=True) as connection:
        read = {name: read_under_contract(connection, name, table) for name, table in tables.items()}
        readings = with_references(read)
        findings = [finding for reading in readings for finding in check_contract(connection, reading, as_of=as_of)]
        refuse(findings)
        columns = [column for reading in readings for column in measure_quality(connection, reading)]
        kept = {
            reading.name: write_query(connection, clean_sql(reading), into / f"{reading.name}.parquet")
            for reading in readings
        }
        first, last = _moments(connection, readings, features)
    repeated = sum(finding.count for finding in findings if finding.rule == "unique key")
    found = {column.table: column.rows for column in columns}
    return Preparation(
        found, kept, tuple(findings), tuple(columns), summarise_quality(columns, repeated=repeated), first, last
    )


def _paths(raw: Path, tables: Mapping[str, Table]) -> dict[str, Path]:
    found = tables_in(raw)
    if lacking := sorted(set(tables) - set(found)):
        raise SourceError(
            f"{raw} lacks the tables {lacking}; it has {sorted(found)}. "
            "Cure: describe the tables of the source in the task file, and run `dvc repro ingest`."
        )
    return {name: found[name] for name in tables}


def _moments(
    connection: duckdb.DuckDBPyConnection, readings: list[Reading], features: Features
) -> tuple[datetime | None, datetime | None]:
    columns = [
        f"select min(t{i}) as first, max(t{i}) as last from {reading.relation}"
        for reading in readings
        for i, label in enumerate(reading.table.columns)
        if label == (reading.table.newest if features.query else features.moment)
        and (features.query or reading.name == features.table)
    ]
    if not columns:
        return None, None
    first, last = one_row(
        connection,
        f"select cast(min(first) as timestamp), cast(max(last) as timestamp) from ({' union all '.join(columns)})",
    )
    return first, last
