"""Moments that clients write in text, with a time zone or without, as one time: UTC."""

import pyarrow as pa
import pyarrow.compute as pc

from lab.core.errors import SourceError

ZONE = r"(Z|[+-]\d{2}:\d{2})$"
TIME = pa.timestamp("us")


def moments_in(column: pa.ChunkedArray, *, name: str, where: str) -> pa.ChunkedArray:
    """Return moments in UTC; what names no zone is UTC already, as the server writes it.

    A time zone stands behind a time only, so that a date by itself is never read as one.
    """
    zoned = pc.and_(pc.match_substring_regex(column, ZONE), pc.greater(pc.utf8_length(column), 10))
    nothing = pa.scalar(None, pa.string())
    try:
        there = pc.if_else(zoned, column, nothing).cast(pa.timestamp("us", "UTC")).cast(TIME)
        here = pc.if_else(zoned, nothing, column).cast(TIME)
    except pa.ArrowInvalid as error:
        raise SourceError(f"{name} in {where}: {error}. Cure: write moments as 2025-11-02T00:00:00.") from error
    return pc.coalesce(here, there)
