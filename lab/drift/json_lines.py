"""Read JSON lines in blocks into Arrow, also while they are written."""

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.errors import SourceError

BLOCK = 1 << 24
NAMED = ("id", "received", "moment", "arm", "fingerprint")


@dataclass(frozen=True)
class Block:
    """Complete lines of a file, starting at line number `first`; or, if `torn`, an incomplete last line."""

    path: Path
    first: int
    content: bytes
    torn: bool = False


@dataclass(frozen=True)
class Unread:
    """A line that cannot be read: why, its id or its place, and what is known of its content."""

    reason: str
    where: str
    content: Mapping[str, Any]


def blocks_of(path: Path, *, size: int = BLOCK) -> Iterator[Block]:
    """Yield the lines of a file in blocks; the end of the file is torn if it is not a complete object."""
    rest, line = b"", 1
    for part in _parts(path, size):
        read = rest + part
        end = read.rfind(b"\n") + 1
        rest = read[end:]
        if read[:end].strip():
            yield Block(path, line, read[:end])
        line += read.count(b"\n", 0, end)
    if rest.strip():
        yield Block(path, line, rest, torn=not _is_object(rest))


def _parts(path: Path, size: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while part := stream.read(size):
                yield part
    except OSError as error:  # the server may just have deleted its oldest file
        raise SourceError(f"{path} cannot be read: {error}, expected lines of JSON. Cure: run again.") from error


def readable_lines(block: Block, schema: pa.Schema, unread: list[Unread]) -> tuple[Block, pa.Table]:
    """Return the lines that can be read and their fields of the schema; the other lines are appended to `unread`.

    Absent fields are null, other fields are ignored.
    """
    try:
        return block, _read(block.content, schema)
    except ValueError:
        lines = block.content.splitlines(keepends=True)
    numbers = [number for number, line in enumerate(lines) if line.strip()]
    bad = failing(len(numbers), lambda start, end: _read(b"".join(lines[n] for n in numbers[start:end]), schema))
    unread += [_unread(block, numbers[place], lines[numbers[place]], schema) for place in bad]
    for place in bad:
        lines[numbers[place]] = b""
    rest = replace(block, content=b"".join(lines))
    return rest, _read(rest.content, schema) if rest.content.strip() else pa.Table.from_batches([], schema)


def failing(count: int, attempt: Callable[[int, int], object]) -> list[int]:
    """Return the indices below `count` at which an attempt on a range fails, found by halving the ranges that fail."""
    found, ranges = [], [(0, count)] if count else []
    while ranges:
        start, end = ranges.pop()
        try:
            attempt(start, end)
        except ValueError:  # of Arrow, and of this repository
            if end - start == 1:
                found.append(start)
            else:
                middle = (start + end) // 2
                ranges += [(middle, end), (start, middle)]
    return found


def set_rows_aside(
    table: pa.Table, bad: Sequence[int] | NDArray[np.intp], reason: str, where: str, unread: list[Unread]
) -> pa.Table:
    """Return the table without some rows, which are appended to `unread` by their id, else by `where`."""
    if not len(bad):
        return table
    names = [name for name in NAMED if name in table.column_names]
    rows = table.select(names).take(pa.array(bad, pa.int64())).to_pylist()
    unread += [Unread(reason, str(row["id"] or where), {name: str(row[name]) for name in names}) for row in rows]
    kept = np.ones(table.num_rows, dtype=bool)
    kept[np.asarray(bad)] = False
    return table.filter(pa.array(kept))


def objects_of(block: Block) -> list[dict[str, object]]:
    """Return the lines as Python objects: slower, but shows absent keys, which Arrow does not."""
    return [json.loads(line) for line in block.content.splitlines() if line.strip()]


def _read(content: bytes, schema: pa.Schema) -> pa.Table:
    from pyarrow import json as arrow_json  # noqa: PLC0415 - needed only for a log

    content.decode("utf-8")  # Arrow does not check it
    reading = arrow_json.ReadOptions(use_threads=False, block_size=len(content) + 1)
    parsing = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    return arrow_json.read_json(io.BytesIO(content), read_options=reading, parse_options=parsing)


def _unread(block: Block, place: int, line: bytes, schema: pa.Schema) -> Unread:
    """Return why Arrow cannot read a line."""
    where = f"{block.path.name}, line {block.first + place}"
    try:
        content = json.loads(line)
    except ValueError:
        return Unread("it is not valid JSON", where, {})
    if not isinstance(content, dict):
        return Unread("it is not a JSON object", where, {})
    try:
        _read(line, schema)
        reason = "it cannot be read"
    except ValueError as error:
        changed = re.search(r"Column\(/(.*)\) changed from (\w+) to (\w+)", str(error))
        field, expected, found = changed.groups() if changed else ("", "", "")
        reason = (
            f"{field.replace('/', '.')} is of the type {found}, expected {expected}" if changed else "it cannot be read"
        )
    return Unread(reason, str(content.get("id") or where), content)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
