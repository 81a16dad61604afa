"""Count the rows of a refused request, for the metrics."""

from typing import Any

from pydantic_core import from_json


def rows_in(body: bytes) -> int:
    """Return the number of rows of a body: a batch's rows or longest column, and 1 where that cannot be read.

    >>> rows_in(b'{"rows": [{}, {}]}'), rows_in(b'{"columns": {"a": [1, 2, 3], "b": 1}}'), rows_in(b"{"), rows_in(b"[]")
    (2, 3, 1, 1)
    """
    try:
        content = from_json(body)
    except ValueError:
        return 1
    if not isinstance(content, dict):
        return 1
    columns = content.get("columns")
    return max(1, _length(content.get("rows")), *map(_length, columns.values() if isinstance(columns, dict) else ()))


def _length(found: Any) -> int:
    return len(found) if isinstance(found, list) else 0
