"""Find the column names of a CSV file, with or without a header."""

import csv
from itertools import islice
from pathlib import Path

from lab.core.errors import SourceError
from lab.dataset.source import FileTable
from lab.ingest.files import open_text

ROWS_LOOKED_AT = 200
SHOWN = 6


def column_names(file: Path, table: FileTable, *, header: str | None) -> tuple[str, ...]:
    """Return the names of the columns if the file has no header, else nothing; refuse a header that looks like data."""
    with open_text(file, encoding=table.encoding) as text:
        lines = list(islice((row for row in csv.reader(text, delimiter=table.delimiter) if row), ROWS_LOOKED_AT))
    first = [cell.strip().lstrip("\ufeff") for cell in lines[0]] if lines else []
    if header is None and _is_data(first, lines[1:]):
        raise SourceError(
            f"the first line of {file} looks like data: {first[:SHOWN]}; expected the names of the columns. "
            "Cure: --header none, or --header NAME,NAME for all of them; --header first if these are names."
        )
    if header is None or header == "first":
        return ()
    width = len(first)
    names = tuple(f"column_{place}" for place in range(1, width + 1)) if header == "none" else tuple(header.split(","))
    if len(names) != width:
        raise SourceError(f"--header has {len(names)} names, {file} has {width} columns; expected a name for each.")
    return tuple(name.strip() for name in names)


def _is_data(first: list[str], rows: list[list[str]]) -> bool:
    """Return whether most numeric columns have a number in the first line, or all names are values of their column."""
    whole = [row for row in rows if len(row) == len(first)]
    columns = [[row[place].strip() for row in whole] for place in range(len(first))]
    numeric = [place for place, cells in enumerate(columns) if cells and _are_numbers(cells)]
    named_by_numbers = [place for place in numeric if _are_numbers([first[place]])]
    values = [name in cells for name, cells in zip(first, columns, strict=True)]
    return len(named_by_numbers) > len(numeric) / 2 or (len(whole) > 1 and bool(values) and all(values))


def _are_numbers(cells: list[str]) -> bool:
    present = [cell for cell in cells if cell]
    return bool(present) and all(
        cell.lstrip("+-").replace(".", "", 1).replace(",", "", 1).isdigit() for cell in present
    )
