"""Read JSON lines in blocks into Arrow, also while they are written."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from lab.core.errors import SourceError

BLOCK = 1 << 24
EXAMPLE = '{"id": "…", "features": {…}}'


@dataclass(frozen=True)
class Block:
    """Complete lines of a file, starting at line number `first`; or, if `torn`, an incomplete last line."""

    path: Path
    first: int
    content: bytes
    torn: bool = False


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


def table_of(block: Block, schema: pa.Schema) -> pa.Table:
    """Return the fields of the schema; absent fields are null, other fields are ignored.

    A damaged line or a value of another type raises an error with the line number.
    """
    from pyarrow import json as arrow_json  # noqa: PLC0415 - needed only for a log

    reading = arrow_json.ReadOptions(use_threads=False, block_size=len(block.content) + 1)
    parsing = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        return arrow_json.read_json(io.BytesIO(block.content), read_options=reading, parse_options=parsing)
    except pa.ArrowInvalid as error:
        raise _refused(block, error) from error


def objects_of(block: Block) -> list[dict[str, object]]:
    """Return the lines as Python objects: slower, but shows absent keys, which Arrow does not."""
    return [json.loads(line) for line in block.content.splitlines() if line.strip()]


def _refused(block: Block, error: pa.ArrowInvalid) -> SourceError:
    for number, line in enumerate(block.content.splitlines(), start=block.first):
        if line.strip() and not _is_object(line):
            return SourceError(
                f"{block.path}, line {number} is damaged: expected one JSON object per line, such as {EXAMPLE}. "
                "Cure: drop the line."
            )
    return SourceError(
        f"{block.path}, from line {block.first} on: {error}. Expected lines as serving writes them, with the types of "
        "data/features/schema.json. Cure: drop the requests to models with other features."
    )


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
