"""Read JSON lines in blocks into Arrow, also while they are written."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.errors import SourceError

BLOCK = 1 << 24
KINDS: Mapping[str, tuple[str, type | tuple[type, ...]]] = {
    "string": ("text", str),
    "double": ("number", (int, float)),
    "bool": ("boolean", bool),
}
Types = dict[str, Any]  # the text of a misfit and the expected types of a field, or the same by name for an object
FEW = 256  # lines of a range that fails, which are checked one by one
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
    ranges = _failing_ranges(len(lines), lambda start, end: _read(b"".join(lines[start:end]), schema), smallest=FEW)
    types = _types_of(schema)
    suspects = [number for start, end in ranges for number in range(start, end)]
    reasons = {number: reason for number in suspects if (reason := _misfit(lines[number], types))}
    rest = [number for number, line in enumerate(lines) if line.strip() and number not in reasons]
    bad = failing(len(rest), lambda start, end: _read(b"".join(lines[number] for number in rest[start:end]), schema))
    reasons |= {rest[place]: "it cannot be read" for place in bad}
    unread += [_unread(block, number, lines[number], reasons[number]) for number in sorted(reasons)]
    kept = replace(block, content=b"".join(lines[number] for number in rest if number not in reasons))
    return kept, _read(kept.content, schema) if kept.content else pa.Table.from_batches([], schema)


def failing(count: int, attempt: Callable[[int, int], object]) -> list[int]:
    """Return the indices below `count` at which an attempt on a range fails, found by halving the ranges that fail."""
    return [start for start, _ in _failing_ranges(count, attempt, smallest=1)]


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


def _failing_ranges(count: int, attempt: Callable[[int, int], object], *, smallest: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of at most `smallest` indices below `count` on which an attempt fails, in order."""
    ranges = [(0, count)] if count else []
    while ranges:
        start, end = ranges.pop()
        try:
            attempt(start, end)
        except ValueError:  # of Arrow, and of this repository
            if end - start <= smallest:
                yield start, end
            else:
                middle = (start + end) // 2
                ranges += [(middle, end), (start, middle)]


def _types_of(fields: Iterable[pa.Field], prefix: str = "") -> Types:
    """Return the expected types by name, nested like the fields."""
    return {
        each.name: _types_of(each.type, f"{prefix}{each.name}.")
        if pa.types.is_struct(each.type)
        else (f"{prefix}{each.name} is not a {KINDS[str(each.type)][0]}", KINDS[str(each.type)][1])
        for each in fields
    }


def _misfit(line: bytes, types: Types) -> str:
    """Return why a line does not fit the types, empty if it does or has no content."""
    if not line.strip():
        return ""
    try:
        content = json.loads(line)
    except ValueError:
        return "it is not valid JSON"
    return _other_type(content, types) if isinstance(content, dict) else "it is not a JSON object"


def _other_type(content: Mapping[str, Any], types: Types) -> str:
    for name, expected in types.items():
        value = content.get(name)
        if value is None:
            continue
        if isinstance(expected, dict):
            reason = _other_type(value, expected) if isinstance(value, dict) else f"{name} is not an object"
            if reason:
                return reason
        elif not isinstance(value, expected[1]) or (isinstance(value, bool) and expected[1] is not bool):
            return str(expected[0])
    return ""


def _unread(block: Block, place: int, line: bytes, reason: str) -> Unread:
    content = json.loads(line) if _is_object(line) else {}
    return Unread(reason, str(content.get("id") or f"{block.path.name}, line {block.first + place}"), content)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
