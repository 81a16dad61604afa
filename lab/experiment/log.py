"""Read and validate an experiment log, Parquet or CSV, in batches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.experiment.design import EACH_ROW, Design, Kind

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
ROWS_AT_ONCE = 32_768  # fits into the CPU cache
CSV_BYTES = 1 << 22
MICROSECONDS_A_DAY = 86_400_000_000
MISSING_WORDS = ["", "NA", "NaN", "nan", "null", "None"]
PARQUET, TEXT = {".parquet", ".pq"}, {".csv", ".gz"}
FURTHEST = 1e150  # the squares of larger numbers overflow
NOBODY = pa.array([], pa.int64())
WHOLE = {"share", "count"}
ALLOWED: dict[Kind, tuple[float, float, str]] = {
    "share": (0.0, 1.0, "only 0 and 1"),
    "count": (0.0, FURTHEST, "integers of at least 0"),
    "mean": (-FURTHEST, FURTHEST, "numbers"),
    "ratio": (-FURTHEST, FURTHEST, "numbers"),
}


@dataclass(frozen=True)
class Batch:
    """Some rows of a log: unit, arm (an index into the design's arms), period (the look) and values.

    `values` are in the order of `numeric_columns`, NaN for a missing covariate. `groups` are the levels of the stratum
    and of each segment, as text. Without identifiers, `units` is empty.
    """

    units: pa.Array
    arms: Codes
    periods: Codes | None
    values: list[Numbers]
    groups: dict[str, pa.DictionaryArray]

    def where(self, kept: NDArray[np.bool_]) -> "Batch":
        """Return the rows that are kept."""
        rows = pa.array(kept)
        return Batch(
            units=self.units.filter(rows) if len(self.units) else self.units,
            arms=self.arms[kept],
            periods=None if self.periods is None else self.periods[kept],
            values=[column[kept] for column in self.values],
            groups={name: column.filter(rows) for name, column in self.groups.items()},
        )


def numeric_columns(design: Design) -> list[str]:
    """Return the numeric columns of a log: outcomes, denominators of ratios, covariates."""
    names = [
        name
        for key in design.ordered_outcomes
        for name in (key, design.outcomes[key].per, *design.outcomes[key].covariates)
    ]
    return list(dict.fromkeys(name for name in names if name is not None))


def covariates_of(design: Design) -> list[str]:
    """Return the covariates of all outcomes, in the order of `numeric_columns`."""
    named = {name for outcome in design.outcomes.values() for name in outcome.covariates}
    return [name for name in numeric_columns(design) if name in named]


def read_log(path: Path, design: Design) -> Iterator[Batch]:
    """Yield the validated rows of a log; an invalid value raises an error that names the column and the cure."""
    kinds = _kinds(design)
    columns = _columns(design)
    for table in open_log(path, columns=columns, words=[design.arm, *_groups(design)]):
        yield Batch(
            units=NOBODY if design.unit == EACH_ROW else _complete(table.column(design.unit), design.unit, path),
            arms=_arms(table.column(design.arm), design, path),
            periods=_periods(table.column(design.time), design, path) if design.looks.dates and design.time else None,
            values=[_numbers(table.column(name), name, kinds[name], path) for name in numeric_columns(design)],
            groups={name: _levels(table.column(name)) for name in _groups(design)},
        )


def open_log(path: Path, *, columns: Sequence[str], words: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
    """Yield columns of a file in batches; the columns in `words` are dictionary-encoded."""
    return _open_parquet(path, columns, words) if _is_parquet(path) else _open_csv(path, columns)


def columns_of(path: Path) -> list[str]:
    """Return the names of a log's columns; a log without rows is refused."""
    first = next(open_log(path, columns=[]), None)
    if first is None:
        raise SourceError(f"{path} has no rows, expected one row for each assigned unit. Cure: export the log again.")
    return _parquet_schema(path).names if _is_parquet(path) else list(first.schema.names)


def _is_parquet(path: Path) -> bool:
    if not path.is_file():
        found = "is not a file" if path.exists() else "is missing"
        raise SourceError(f"{path} {found}, expected the log of an experiment. Cure: check the path.")
    if path.suffix in {*PARQUET, *TEXT}:
        return path.suffix in PARQUET
    raise SourceError(f"{path} ends with {path.suffix!r}, expected .parquet or .csv. Cure: convert it.")


@contextmanager
def _reading(path: Path, *, form: str, cure: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as {form}: {error}. Cure: {cure}.") from error


def _parquet_schema(path: Path) -> pa.Schema:
    import pyarrow.parquet as pq  # noqa: PLC0415 - not needed for CSV

    return pq.read_schema(path)


def _columns(design: Design) -> list[str]:
    unit = [] if design.unit == EACH_ROW else [design.unit]
    named = [*unit, design.arm, *numeric_columns(design), *_groups(design)]
    return list(dict.fromkeys([*named, *([design.time] if design.looks.dates and design.time else [])]))


def _groups(design: Design) -> list[str]:
    return list(dict.fromkeys([*([design.stratum] if design.stratum else []), *design.segments]))


def _open_parquet(path: Path, columns: Sequence[str], words: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - not needed for CSV

    with _reading(path, form="Parquet", cure="write it again"):
        schema = _parquet_schema(path)
        _refuse_absent(columns, schema.names, path)
        if nested := [name for name in columns if pa.types.is_nested(schema.field(name).type)]:
            raise SourceError(
                f"{path}: {nested} hold lists or structs, expected one value in each row. Cure: write plain columns."
            )
        textual = [name for name in words if pa.types.is_string(schema.field(name).type)]
        with pq.ParquetFile(path, read_dictionary=textual, pre_buffer=False) as file:
            yield from file.iter_batches(ROWS_AT_ONCE, columns=list(columns), use_threads=False)


def _open_csv(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for batch in _csv_batches(path, columns):
        _refuse_absent(columns, batch.schema.names, path)
        yield batch


def _csv_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    from pyarrow import csv  # noqa: PLC0415 - not needed for Parquet

    with _reading(path, form="CSV", cure="write comma-separated UTF-8 with a header"):
        stream = pa.input_stream(str(path), compression="detect")
        names = csv.open_csv(pa.input_stream(str(path), compression="detect")).schema.names
        _refuse_absent(columns, names, path)
        convert = csv.ConvertOptions(
            include_columns=list(columns),
            column_types=dict.fromkeys(columns, pa.string()),
            null_values=MISSING_WORDS,
            strings_can_be_null=True,
        )
        read = csv.ReadOptions(use_threads=False, block_size=CSV_BYTES)
        yield from csv.open_csv(stream, read_options=read, convert_options=convert)


def _refuse_absent(columns: Sequence[str], names: Sequence[str], path: Path) -> None:
    if absent := [name for name in columns if name not in names]:
        raise SourceError(
            f"{path} lacks the columns {absent}; it has {list(names)}. Cure: add them, or correct the names in the "
            "design (outcomes, covariate, per, stratum, segments)."
        )


def _kinds(design: Design) -> dict[str, Kind | None]:
    """Return the kind of each numeric column: that of the outcome, None for a covariate."""
    kinds: dict[str, Kind | None] = dict.fromkeys(numeric_columns(design))
    kinds |= {outcome.per: "mean" for outcome in design.outcomes.values() if outcome.per}
    return kinds | {name: outcome.kind for name, outcome in design.outcomes.items()}


def _complete(column: pa.Array, name: str, path: Path) -> pa.Array:
    if column.null_count:
        raise SourceError(
            f"{path}: {name} is missing in {column.null_count} rows, expected a value in every row. "
            "Cure: drop these rows, and find out why it is missing."
        )
    return column


def _arms(column: pa.Array, design: Design, path: Path) -> Codes:
    coded = _levels(_complete(column, design.arm, path))
    names = coded.dictionary.to_pylist()
    codes = coded.indices.to_numpy()
    if names == design.arms:
        return np.asarray(codes, dtype=np.int64)
    known = [design.arms.index(name) if name in design.weights else -1 for name in names]
    arms: Codes = np.array([*known, -1], dtype=np.int64)[codes]
    if min(known, default=0) < 0 and (unknown := arms < 0).any():
        found = sorted({str(names[code]) for code in np.unique(codes[unknown])})
        raise SourceError(
            f"{path}: {design.arm} contains {found[:5]}, expected one of {design.arms}. Cure: give each arm its weight "
            "in the design, or drop its rows."
        )
    return arms


def _levels(column: pa.Array) -> pa.DictionaryArray:
    if pa.types.is_dictionary(column.type) and not column.null_count and pa.types.is_string(column.type.value_type):
        return column
    missing = column.cast(pa.string()).fill_null("(missing)")
    return missing.dictionary_encode()


def _periods(column: pa.Array, design: Design, path: Path) -> Codes:
    """Return the number of look dates on or before the day of each row: 0 for the rows of the first look."""
    days = _days(_complete(column, str(design.time), path), str(design.time), path)
    ends = np.array([date.fromisoformat(end).toordinal() for end in design.looks.dates]) - date(1970, 1, 1).toordinal()
    return np.searchsorted(ends, days, side="right").astype(np.int64)


def _days(column: pa.Array, name: str, path: Path) -> Codes:
    if _is_text(column.type) or pa.types.is_dictionary(column.type):
        column = _timestamps(column.cast(pa.string()).to_pylist(), name, path)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        microseconds: Codes = np.asarray(column.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(), dtype=np.int64)
        return np.asarray(microseconds // MICROSECONDS_A_DAY, dtype=np.int64)
    raise SourceError(f"{path}: {name} is {column.type}, expected dates or timestamps. Cure: write 2025-11-02.")


def _timestamps(words: Sequence[str], name: str, path: Path) -> pa.Array:
    try:
        times = [datetime.fromisoformat(word) for word in words]
    except ValueError as error:
        raise SourceError(f"{path}: {name}: {error}. Cure: write timestamps as 2025-11-02T00:00:00.") from error
    zoned = sum(time.tzinfo is not None for time in times)
    if zoned not in {0, len(times)}:
        raise SourceError(
            f"{path}: {name} mixes timestamps with and without a time zone: found {zoned} of {len(times)} with one, "
            "expected all or none. Cure: write each with its zone, as 2025-11-02T00:00:00+00:00."
        )
    return pa.array(
        [time.astimezone(UTC).replace(tzinfo=None) if zoned else time for time in times], pa.timestamp("us")
    )


def _numbers(column: pa.Array, name: str, kind: Kind | None, path: Path) -> Numbers:
    """Return a column as numbers; a column without kind is a covariate, whose values may be missing."""
    try:
        values = np.asarray(_as_float(column), dtype=np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SourceError(f"{path}: {name} is not numeric: {error}. Cure: write it as numbers.") from error
    known = values[~np.isnan(values)] if len(values) and np.isnan(values.min()) else values
    if kind is not None and len(known) < len(values):
        raise SourceError(
            f"{path}: {name} is missing in {len(values) - len(known)} rows, expected an outcome for every assigned "
            "unit. Cure: write 0 where nothing happened; dropping such units would bias the comparison."
        )
    if len(known):
        _refuse_values(known, name, kind, path, surely_whole=pa.types.is_boolean(column.type))
    return values


def _refuse_values(known: Numbers, name: str, kind: Kind | None, path: Path, *, surely_whole: bool) -> None:
    low, high = float(known.min()), float(known.max())
    if max(-low, high) > FURTHEST:
        raise SourceError(
            f"{path}: {name} contains {int((np.abs(known) > FURTHEST).sum())} infinite values, expected numbers. "
            "Cure: find out where they come from, and correct them."
        )
    whole = surely_whole or kind not in WHOLE or bool((known == np.floor(known)).all())
    least, most, expected = ALLOWED[kind or "mean"]
    if low < least or high > most or not whole:
        raise SourceError(
            f"{path}: {name} is a {kind}, expected {expected}; found values from {low:g} to {high:g}. "
            "Cure: correct the rows, or the kind in the design."
        )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _as_float(column: pa.Array) -> Numbers:
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or (pa.types.is_boolean(kind) and not column.null_count):
        return np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.float64, copy=False)
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())  # Arrow cannot cast booleans with nulls to float
    if _is_text(kind):
        column = _booleans_as_digits(column.cast(pa.string()))
    found: Numbers = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return found


def _booleans_as_digits(column: pa.Array) -> pa.Array:
    """Return text with true and false replaced by 1 and 0."""
    import pyarrow.compute as pc  # noqa: PLC0415 - only text needs it

    lower = pc.utf8_lower(column)
    return pc.if_else(pc.equal(lower, "true"), "1", pc.if_else(pc.equal(lower, "false"), "0", column))
