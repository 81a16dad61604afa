"""The data quality report: completeness, consistency and accuracy, as numbers and as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from lab.dataset.tables import NUMERIC
from lab.engine.engine import one_row, text_literal
from lab.pages.escape import MOST, plain_or_code
from lab.pages.markdown import table
from lab.prepare.contract import Finding, Reading, breaking_sql

FENCE = 3.0  # Tukey's outer fence, in interquartile ranges
BAR_CELLS = 20

MEANING = (
    "Completeness: cells that have a value. Accuracy: values that break no error rule of the contract. "
    "Consistency: values that needed no repair. "
    f"Outliers: values beyond {FENCE:g} interquartile ranges from the quartiles."
)
MISSING_RULE = (
    "A feature with too many missing training values is dropped or kept, as the task file says (features: "
    "high_missing_columns); metrics/featurize.json names the dropped ones. The model imputes missing numbers with the "
    "training median, treats missing categories as a level, and adds an indicator of missing values."
)
COLUMN_HEAD = ("column", "type", "rows:", "present", "missing:", "invalid:", "repaired:", "outliers:")


@dataclass(frozen=True)
class ColumnQuality:
    """The faults of one column, as counts of rows in the raw table."""

    table: str
    column: str
    type: str
    rows: int
    missing: int
    invalid: int
    mended: int
    outliers: int


def measure_quality(connection: duckdb.DuckDBPyConnection, reading: Reading) -> list[ColumnQuality]:
    """Return the faults of each column of a table, in the order of its contract."""
    fences = _fences(connection, reading)
    aggregates = ["count(*)"]
    for i, (label, column) in enumerate(reading.table.columns.items()):
        broken = " or ".join(breaking_sql(label, column, position=i))
        mended = ", ".join(text_literal(found) for found in reading.repairs.get(label, {}))
        aggregates += [
            f"count(*) filter (where m{i})",
            f"count(*) filter (where {broken})",
            f"count(*) filter (where trim(cast(r{i} as varchar)) in ({mended}))" if mended else "0",
            f"count(*) filter (where t{i} not between {fences[label][0]!r} and {fences[label][1]!r})"
            if label in fences
            else "0",
        ]
    row = one_row(connection, f"select {', '.join(aggregates)} from {reading.checked}")
    return [
        ColumnQuality(reading.name, label, column.type, row[0], *row[1 + 4 * i : 5 + 4 * i])
        for i, (label, column) in enumerate(reading.table.columns.items())
    ]


def summarise_quality(columns: Sequence[ColumnQuality], *, repeated: int) -> dict[str, float]:
    """Return the shares of cells that are present, valid, unrepaired and outliers, and of repeated rows."""
    cells = sum(column.rows for column in columns) or 1
    present = sum(column.rows - column.missing for column in columns) or 1
    rows = sum({column.table: column.rows for column in columns}.values()) or 1
    return {
        "completeness": present / cells,
        "accuracy": 1 - sum(column.invalid for column in columns) / present,
        "consistency": 1 - sum(column.mended for column in columns) / present,
        "outlier_share": sum(column.outliers for column in columns) / present,
        "duplicate_share": repeated / rows,
    }


def quality_page(
    columns: Sequence[ColumnQuality],
    findings: Sequence[Finding],
    *,
    summary: Mapping[str, float],
) -> str:
    """Return the report as Markdown."""
    shares = [(name.replace("_", " "), _percent(share)) for name, share in summary.items()]
    found = [f"- {finding.level}: {plain_or_code(finding, longest=MOST)}" for finding in findings] or ["None."]
    return "\n".join(
        [
            *("# Quality of the raw data", "", *table(("measure", "share:"), shares), "", MEANING, ""),
            *("## Columns", "", *table(COLUMN_HEAD, map(_column_row, columns)), "", MISSING_RULE, ""),
            *("## Findings of the contract", "", *found),
        ]
    )


def _column_row(column: ColumnQuality) -> list[str]:
    share = 1 - column.missing / column.rows if column.rows else 0.0
    filled = int(share * BAR_CELLS)
    bar = "█" * filled + "░" * (BAR_CELLS - filled)
    counts = (column.missing, column.invalid, column.mended, column.outliers)
    name = plain_or_code(f"{column.table}.{column.column}")
    return [name, column.type, f"{column.rows:,}", f"`{bar}`", *(f"{count:,}" for count in counts)]


def _fences(connection: duckdb.DuckDBPyConnection, reading: Reading) -> dict[str, tuple[float, float]]:
    numeric = [(i, label) for i, (label, column) in enumerate(reading.table.columns.items()) if column.type in NUMERIC]
    if not numeric:
        return {}
    quartiles = ", ".join(f"quantile_disc(t{i}, [0.25, 0.75])" for i, _ in numeric)
    row = one_row(connection, f"select {quartiles} from {reading.relation}")
    return {label: _fence(*pair) for (_, label), pair in zip(numeric, row, strict=True) if pair}


def _fence(first: float, third: float) -> tuple[float, float]:
    reach = FENCE * (third - first)
    return first - reach, third + reach


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
