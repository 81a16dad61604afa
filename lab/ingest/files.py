"""Read a task's tables from CSV and Parquet files below data/source/TASK, batch by batch."""

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from lab.core.errors import SourceError
from lab.dataset.source import FilesSource, FileTable
from lab.ingest.columns import SourceTable, as_plain, plain_schema, refuse_bad_names, refuse_no_rows

PARQUET = frozenset({".parquet", ".pq"})
BLOCK_BYTES = 1 << 24  # one row must fit into a block
ROWS_PER_BATCH = 65_536
DECIMAL_COMMA = r"^([+-]?\d*),(\d+)$"
SHOWN = 3


def read_files(source: FilesSource, *, folder: Path) -> Iterator[SourceTable]:
    """Yield each table's name, schema and batches, in the order of the task file.

    CSV values stay text, trimmed, with null for every missing mark; the stage prepare converts and validates them.
    Parquet files keep their types. Rows keep their order.
    """
    paths = {name: path_below(folder, table.path) for name, table in source.tables.items()}
    for name, table in source.tables.items():
        yield name, *open_table(paths[name], table)


def open_table(path: Path, table: FileTable) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Return the schema and the batches of one file; the iterator of a file without rows raises at its end."""
    schema, batches = _open_parquet(path) if path.suffix.lower() in PARQUET else _open_csv(path, table)
    names = [table.rename.get(name, name) for name in schema.names]
    if absent := sorted(set(table.rename) - set(schema.names)):
        raise SourceError(f"{path} lacks {absent}, which rename in the task file names; it has {schema.names}.")
    refuse_bad_names(names, where=str(path))
    renamed = (batch.rename_columns(names) for batch in batches)
    kinds = pa.schema(zip(names, schema.types, strict=True))
    return kinds, refuse_no_rows(renamed, where=str(path))


def names_in(path: Path, table: FileTable) -> list[str]:
    """Return the trimmed column names of one file, without any check."""
    if path.suffix.lower() in PARQUET:
        with _parquet_errors(path):
            return list(pq.read_schema(path).names)
    with _csv_errors(path, table):
        return [name.strip() for name in _csv_reader(path, table, columns=[]).schema.names]


def path_below(folder: Path, name: str) -> Path:
    """Return the path of a file below a source folder; refuse a path outside, a folder, and a missing file.

    Symbolic links are not resolved: DVC may link files from its cache.
    """
    path = Path(os.path.normpath(folder / name))
    if not path.is_relative_to(os.path.normpath(folder)):
        raise SourceError(
            f"the path {name!r} is outside {folder}, expected a file below it. Cure: move the file there."
        )
    if path.is_dir():
        raise SourceError(f"{path} is a folder, expected a file. Cure: name the file itself in the task file: source.")
    if not path.is_file():
        found = sorted(str(other.relative_to(folder)) for other in folder.rglob("*") if other.is_file())[:10]
        raise SourceError(
            f"{path} is missing; {folder} holds {found}. Cure: put the file there, fetch it with `dvc pull`, or "
            "correct its path in the task file: source."
        )
    return path


@contextmanager
def open_text(path: Path, *, encoding: str) -> Iterator[io.TextIOWrapper]:
    """Yield a file as text, decompressed, with its line ends unchanged."""
    with (
        pa.input_stream(str(path), compression="detect") as stream,
        io.TextIOWrapper(stream, encoding=encoding, newline="") as text,
    ):
        yield text


def _open_parquet(path: Path) -> tuple[pa.Schema, Iterator[pa.Table]]:
    with _parquet_errors(path):
        file = pq.ParquetFile(path)
    schema = plain_schema(file.schema_arrow, where=str(path))
    return schema, _parquet_batches(file, path, schema)


def _parquet_batches(file: pq.ParquetFile, path: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    with _parquet_errors(path):
        for batch in file.iter_batches(ROWS_PER_BATCH):
            yield as_plain(pa.Table.from_batches([batch]), schema, where=str(path))


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(
            f"{path} cannot be read as Parquet: {_first_line(error)}. Cure: write it again, or name a CSV file."
        ) from error


def _open_csv(path: Path, table: FileTable) -> tuple[pa.Schema, Iterator[pa.Table]]:
    with _csv_errors(path, table):
        written = _csv_reader(path, table, columns=[]).schema.names
        names = [name.strip() for name in written]
        reader = _csv_reader(path, table, columns=written)
    return pa.schema([(name, pa.string()) for name in names]), _csv_batches(reader, path, table, names=names)


def _csv_reader(path: Path, table: FileTable, *, columns: list[str]) -> pv.CSVStreamingReader:
    return pv.open_csv(
        pa.input_stream(str(path), compression="detect"),
        read_options=pv.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, encoding=table.encoding, column_names=list(table.names) or None
        ),
        parse_options=pv.ParseOptions(delimiter=table.delimiter, newlines_in_values=True),
        convert_options=pv.ConvertOptions(
            column_types={name: pa.string() for name in columns}, null_values=[], strings_can_be_null=False
        ),
    )


def _csv_batches(
    reader: pv.CSVStreamingReader, path: Path, table: FileTable, *, names: list[str]
) -> Iterator[pa.Table]:
    marks = pa.array(table.missing, pa.string())
    last = None
    with _csv_errors(path, table):
        for batch in reader:
            if batch.num_rows:
                last = batch.slice(batch.num_rows - 1)
                columns = [_cleaned(column, marks=marks, decimal=table.decimal) for column in batch.columns]
                yield pa.Table.from_arrays(columns, names=names)
    if last is not None and any("\n" in value or "\r" in value for (value,) in (column.to_pylist() for column in last)):
        _refuse_open_quote(path, table)


def _cleaned(column: pa.Array, *, marks: pa.Array, decimal: str) -> pa.Array:
    text = pc.utf8_trim_whitespace(column)
    if decimal == ",":
        text = pc.replace_substring_regex(text, pattern=DECIMAL_COMMA, replacement=r"\1.\2")
    return pc.if_else(pc.is_in(text, value_set=marks), pa.scalar(None, pa.string()), text)


@contextmanager
def _csv_errors(path: Path, table: FileTable) -> Iterator[None]:
    """Convert errors of the CSV reader to a SourceError that names the place."""
    try:
        yield
    except LookupError as error:
        raise SourceError(
            f"{path}: found the encoding {table.encoding!r}, expected an encoding of Python, such as "
            "utf-8 or cp1252. Cure: correct source in the task file."
        ) from error
    except PermissionError as error:
        raise SourceError(f"{path} may not be read: {error.strerror}. Cure: chmod u+r {path}") from error
    except (pa.ArrowInvalid, UnicodeError, OSError) as error:
        raise SourceError(_describe_fault(path, table) or f"{path} cannot be read: {_first_line(error)}") from error


def _describe_fault(path: Path, table: FileTable) -> str | None:
    """Return the fault of an unreadable CSV file (no header, wrong encoding, ragged rows), or None."""
    try:
        with open_text(path, encoding=table.encoding) as text:
            return _shape_fault(path, text, delimiter=table.delimiter)
    except UnicodeError as error:
        return (
            f"{path} is not {table.encoding}: {error}. Cure: name its encoding in the task file: source; files from "
            "spreadsheets are often cp1252."
        )
    except (csv.Error, OSError):
        return None


def _shape_fault(path: Path, text: io.TextIOWrapper, *, delimiter: str) -> str | None:
    rows = csv.reader(text, delimiter=delimiter)
    header = next((row for row in rows if row), None)
    if header is None:
        return f"{path} is empty, expected a header and rows. Cure: export the file again."
    widths = ((rows.line_num, len(row)) for row in rows if row)
    first = next(widths, None)
    if first is None:
        return f"{path}: found 0 rows below the header, expected at least one row. Cure: export the file again."
    ragged = list(islice(((line, n) for line, n in chain([first], widths) if n != len(header)), SHOWN))
    if not ragged:
        return None
    listed = ", ".join(f"line {line} has {n}" for line, n in ragged)
    return (
        f"{path} has rows of different length: the header has {len(header)} fields, {listed}. Cure: put fields that "
        "hold the delimiter or a quote into quotes, or correct delimiter in the task file: source."
    )


def _refuse_open_quote(path: Path, table: FileTable) -> None:
    """Refuse a file that ends inside quotes: the reader makes one value of the rest of the file."""
    with open_text(path, encoding=table.encoding) as text:
        rows = csv.reader(text, delimiter=table.delimiter, strict=True)
        line = 1
        try:
            for _ in rows:
                line = rows.line_num + 1
        except csv.Error as error:
            if "unexpected end" in str(error) or "field larger" in str(error):
                raise SourceError(
                    f"{path}: found a quote that is opened in line {line} and never closed, expected its end. "
                    "Cure: close it, or write a quote inside a value twice."
                ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
