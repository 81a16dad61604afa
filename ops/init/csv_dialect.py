"""Detect the encoding and the delimiter of a CSV file."""

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from lab.core.errors import SourceError

DELIMITERS = (",", ";", "\t", "|")
HEAD_BYTES = 1 << 20
ROWS_LOOKED_AT = 500
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class CsvDialect:
    """The dialect of a CSV file; readers skip a byte-order mark."""

    encoding: str
    delimiter: str


def sniff(path: Path) -> CsvDialect:
    """Return the dialect of a CSV file; refuse an empty or binary file."""
    with pa.input_stream(str(path), compression="detect") as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip():
        raise SourceError(f"{path} is empty, expected a header and rows. Cure: export the file again.")
    mark = next((encoding for mark, encoding in MARKS.items() if head.startswith(mark)), None)
    if b"\0" in head and mark != "utf-16":
        raise SourceError(
            f"{path} is not text, expected CSV or Parquet. Cure: save a spreadsheet as CSV, or Parquet as .parquet."
        )
    encoding = mark or _encoding_of(path)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    return CsvDialect(encoding, delimiter_of(text.lstrip("\ufeff")))


def delimiter_of(text: str) -> str:
    """Return the delimiter that splits most rows into the same number of fields; more fields win."""
    return max(DELIMITERS, key=lambda delimiter: _score(text, delimiter))


def _score(text: str, delimiter: str) -> tuple[float, int]:
    """Return the share of rows with the most common number of fields, and that number; (0, 1) for one field."""
    lines = io.StringIO(text, newline="")
    try:
        widths = [len(row) for row in islice(csv.reader(lines, delimiter=delimiter), ROWS_LOOKED_AT) if row]
    except csv.Error:
        return 0.0, 1
    if len(widths) < ROWS_LOOKED_AT and len(text) >= HEAD_BYTES:
        widths = widths[:-1]  # the last row may be cut off
    (width, times), *_ = Counter(widths).most_common(1) or [(1, 0)]
    return (times / len(widths), width) if width > 1 else (0.0, 1)


def _encoding_of(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with pa.input_stream(str(path), compression="detect") as stream:
        try:
            while block := stream.read(HEAD_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _western_encoding(path)
    return "utf-8"


def _western_encoding(path: Path) -> str:
    """Return cp1252 if it decodes every byte, else latin-1, which always does."""
    with pa.input_stream(str(path), compression="detect") as stream:
        try:
            while block := stream.read(HEAD_BYTES):
                block.decode("cp1252")
        except UnicodeDecodeError:
            return "latin-1"
    return "cp1252"
