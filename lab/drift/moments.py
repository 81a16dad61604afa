"""Parse timestamps with or without a time zone as UTC."""

import pyarrow as pa
import pyarrow.compute as pc

from lab.core.errors import SourceError
from lab.drift.json_lines import Unread, failing, set_rows_aside

ZONE = r"(Z|[+-]\d{2}:\d{2})$"
TIME = pa.timestamp("us")


def moments_in(column: pa.ChunkedArray, *, name: str, where: str) -> pa.ChunkedArray:
    """Return moments in UTC; a moment without zone is UTC.

    A zone may follow only a time, so that the end of a date is not read as a zone.
    """
    zoned = pc.and_(pc.match_substring_regex(column, ZONE), pc.greater(pc.utf8_length(column), 10))
    nothing = pa.scalar(None, pa.string())
    try:
        from_zoned = pc.if_else(zoned, column, nothing).cast(pa.timestamp("us", "UTC")).cast(TIME)
        from_plain = pc.if_else(zoned, nothing, column).cast(TIME)
    except pa.ArrowInvalid as error:
        raise SourceError(f"{name} in {where}: {error}. Cure: write moments as 2025-11-02T00:00:00.") from error
    return pc.coalesce(from_plain, from_zoned)


def timed(lines: pa.Table, name: str, unread: list[Unread]) -> pa.Table:
    """Return the lines with this column parsed; lines whose moment is invalid are appended to `unread`.

    A missing moment is valid.
    """
    part = lambda start, end: moments_in(lines[name].slice(start, end - start), name=name, where="")  # noqa: E731
    bad = failing(lines.num_rows, part)
    lines = set_rows_aside(lines, bad, f"{name} is not a moment, such as 2025-11-02T00:00:00", "the log", unread)
    return lines.set_column(lines.column_names.index(name), name, moments_in(lines[name], name=name, where="the log"))
