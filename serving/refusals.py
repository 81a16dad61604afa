"""How many rows a refused request asked about, for the metrics."""

from typing import Any

from pydantic_core import from_json

LEAST = 1


def rows_in(body: bytes) -> int:
    """Return the rows of a body, well-formed or not: a batch's rows or its longest column; what cannot be told is one.

    >>> rows_in(b'{"rows": [{}, {}]}'), rows_in(b'{"columns": {"a": [1, 2, 3], "b": 1}}'), rows_in(b"{"), rows_in(b"[]")
    (2, 3, 1, 1)
    """
    try:
        asked = from_json(body)
    except ValueError:
        return LEAST
    if not isinstance(asked, dict):
        return LEAST
    columns = asked.get("columns")
    return max(LEAST, _length(asked.get("rows")), *map(_length, columns.values() if isinstance(columns, dict) else ()))


def _length(found: Any) -> int:
    return len(found) if isinstance(found, list) else 0
