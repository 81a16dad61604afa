"""Read files of JSON lines that are being written, block by block, into Arrow; a torn last line is left out."""

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
    """Whole lines of a file, from the line of a number on; or, where `torn`, the end of one that is half written."""

    path: Path
    first: int
    content: bytes
    torn: bool = False


def blocks_of(path: Path, *, size: int = BLOCK) -> Iterator[Block]:
    """Yield the lines of a file in blocks; what follows the last newline counts where it is a whole object."""
    rest, line = b"", 1
    for part in _parts(path, size):
        read = rest + part
        whole = read.rfind(b"\n") + 1
        rest = read[whole:]
        if read[:whole].strip():
            yield Block(path, line, read[:whole])
        line += read.count(b"\n", 0, whole)
    if rest.strip():
        yield Block(path, line, rest, torn=not _is_object(rest))


def _parts(path: Path, size: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while part := stream.read(size):
                yield part
    except OSError as error:  # the server may drop its oldest file just now
        raise SourceError(f"{path} cannot be read: {error}, expected lines of JSON. Cure: run it again.") from error


def table_of(block: Block, schema: pa.Schema) -> pa.Table:
    """Return the fields of the schema, line by line; what a line lacks is missing, what it has beyond is left unread.

    A line that is damaged, or whose values have other types, is refused with its number.
    """
    from pyarrow import json as arrow_json  # noqa: PLC0415 - only where there is a log

    reading = arrow_json.ReadOptions(use_threads=False, block_size=len(block.content) + 1)
    parsing = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        return arrow_json.read_json(io.BytesIO(block.content), read_options=reading, parse_options=parsing)
    except pa.ArrowInvalid as error:
        raise _refused(block, error) from error


def objects_of(block: Block) -> list[dict[str, object]]:
    """Return the lines as Python has them: slower, for what Arrow does not tell, such as whether a key was there."""
    return [json.loads(line) for line in block.content.splitlines() if line.strip()]


def _refused(block: Block, error: pa.ArrowInvalid) -> SourceError:
    for number, line in enumerate(block.content.splitlines(), start=block.first):
        if line.strip() and not _is_object(line):
            return SourceError(
                f"{block.path}, line {number} is damaged: expected one JSON object a line, such as {EXAMPLE}. "
                "Cure: leave the line out."
            )
    return SourceError(
        f"{block.path}, from line {block.first} on: {error}. Expected lines as serving writes them, with the types of "
        "data/features/schema.json. Cure: leave out what was asked of a model with other features."
    )


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
