"""Read a batch of rows from Parquet, CSV or JSON lines."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from lab.core.errors import SourceError
from lab.core.schema import FeatureSchema
from lab.core.tables import read_table
from lab.drift.batch import CURE, checked_batch, with_label
from lab.predictions.predictions import score_column
from lab.reference.reference import Reference

SERVED = "champion"  # the model of a column that is only named "score"
FEATURES_KEY = "features"
TIMES = ("moment", "time", "timestamp")
TEXTS = (".csv", ".jsonl", ".ndjson")
MISSING_WORDS = ["", "NA", "NaN", "nan", "null", "None"]


def read_batch(
    path: Path,
    reference: Reference,
    *,
    read_own: Callable[[Path], pa.Table | None] = lambda _: None,
    label: str | None = None,
) -> pa.Table:
    """Return the validated rows of a file: .parquet, .csv, or .jsonl (one object per line).

    `read_own` returns the rows of a text file that is written like the task's source, else None; `label` is the task's
    own column of labels.
    """
    readers: dict[str, Callable[[Path], pa.Table]] = {
        ".parquet": read_table,
        ".pq": read_table,
        ".csv": _read_csv,
        ".jsonl": _read_log,
        ".ndjson": _read_log,
    }
    if not path.is_file():
        raise SourceError(f"{path} is missing, expected a file of rows. Cure: check the path.")
    own = read_own(path)
    if own is None and path.suffix not in readers:
        raise SourceError(f"{path} ends with {path.suffix!r}, expected one of {sorted(readers)}. Cure: convert it.")
    table = _renamed(readers[path.suffix](path) if own is None else own, reference.facts.inputs)
    table = with_label(table, label, reference, name=str(path))
    as_text = own is not None or path.suffix in TEXTS
    return checked_batch(table, reference, name=str(path), cure=CURE, as_text=as_text)


def _renamed(table: pa.Table, schema: FeatureSchema) -> pa.Table:
    """Return the table with the log's names of moment and score replaced by those of the schema."""
    names = list(table.column_names)
    if "score" in names and score_column(SERVED) not in names:
        names[names.index("score")] = score_column(SERVED)
    if schema.moment and schema.moment not in names:
        found = next((word for word in TIMES if word in names), None)
        names = [schema.moment if word == found else word for word in names]
    return table.rename_columns(names)


def _read_csv(path: Path) -> pa.Table:
    from pyarrow import csv  # noqa: PLC0415 - needed only for CSV

    try:
        with path.open(encoding="utf-8") as stream:
            names = stream.readline().rstrip("\r\n").replace('"', "").split(",")
        text = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=MISSING_WORDS, strings_can_be_null=True
        )
        return csv.read_csv(path, convert_options=text)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as CSV: {error}. Cure: commas, a header, UTF-8.") from error


def _read_log(path: Path) -> pa.Table:
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [_line_of(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]
    names = sorted({name for row in rows for name in row})
    return pa.table({name: _text_of([row.get(name) for row in rows]) for name in names})


def _line_of(line: str, where: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
        nested = content.pop(FEATURES_KEY, {})
        flat: dict[str, Any] = {**content, **nested}
    except (ValueError, AttributeError, TypeError) as error:
        raise SourceError(
            f"{where} is not a prediction: {error}. Expected one JSON object per line, with the features in it or "
            f"under {FEATURES_KEY!r}. Cure: drop the line."
        ) from error
    return flat


def _text_of(values: Sequence[Any]) -> pa.Array:
    return pa.array([None if value is None else _to_text(value) for value in values], pa.string())


def _to_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else repr(value)
