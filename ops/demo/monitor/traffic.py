"""Send rows of a window to the server as clients do, and later their labels."""

import http.client
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from lab.core.schema import FeatureSchema, load_schema
from lab.core.tables import read_table
from lab.predictions.predictions import LABEL
from ops.demo.sandbox import DemoError

AT_ONCE = 200
LABELS_AT_ONCE = 10_000
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Window:
    """Rows to send; `dated` if the requests contain the rows' own times."""

    rows: pa.Table
    schema: FeatureSchema
    dated: bool

    @property
    def moments(self) -> list[datetime]:
        """The time of each row; empty if requests do not contain it."""
        found: list[datetime] = self.rows[self.schema.moment].to_pylist() if self.dated else []
        return found

    def bodies(self) -> Iterator[dict[str, Any]]:
        """Yield request bodies: batches of columns."""
        for start in range(0, self.rows.num_rows, AT_ONCE):
            part = self.rows.slice(start, AT_ONCE)
            units = (
                {"units": list(map(str, part[self.schema.unit[0]].to_pylist()))} if len(self.schema.unit) == 1 else {}
            )
            moments = {"moments": [each.isoformat() for each in self.moments[start : start + AT_ONCE]]}
            yield {
                "columns": {name: _values(part[name]) for name in sorted(self.schema.features)},
                **units,
                **(moments if self.dated else {}),
            }


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return JSON values, with None for NaN."""
    return [None if isinstance(value, float) and math.isnan(value) else value for value in column.to_pylist()]


def windows_in(work: Path) -> tuple[Window, Window]:
    """Return the test window and the newest window.

    If the newest is not later, as in a random split, requests contain no times, and the newest is sent later.
    """
    schema = load_schema(work / "data/features/schema.json")
    quiet, newest = (read_table(work / f"data/features/{name}.parquet") for name in ("test", "current"))
    name = schema.moment
    dated = name is not None and max(quiet[name].to_pylist()) < min(newest[name].to_pylist())
    return Window(quiet, schema, dated), Window(newest, schema, dated)


def send_rows(host: str, window: Window) -> list[str]:
    """Send every row, and return the ids of the predictions."""
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        return [name for body in window.bodies() for name in _post(connection, "/predict/batch", body, 200)["ids"]]
    finally:
        connection.close()


def known_labels(window: Window, identifiers: Sequence[str]) -> dict[str, bool]:
    """Return the labels that are known by now: of all but the newest time, or of the first half."""
    moments = window.moments
    newest = max(moments, default=None)
    early = [moment < newest for moment in moments] if newest is not None else []
    if not any(early):
        early = [place < len(identifiers) // 2 for place in range(len(identifiers))]
    labels = window.rows[LABEL].to_pylist()
    return {
        name: bool(label)
        for name, label, known in zip(identifiers, labels, early, strict=True)
        if known and label is not None
    }


def send_labels(host: str, labels: Mapping[str, bool]) -> None:
    """Send labels to the server."""
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        ids = list(labels)
        for first in range(0, len(ids), LABELS_AT_ONCE):
            part = ids[first : first + LABELS_AT_ONCE]
            _post(connection, "/feedback/batch", {"ids": part, "labels": [labels[name] for name in part]}, 202)
    finally:
        connection.close()


def _post(connection: http.client.HTTPConnection, path: str, body: Mapping[str, Any], expected: int) -> Any:
    connection.request("POST", path, json.dumps(body), JSON)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != expected:
        raise DemoError(f"POST {path} returned {answer.status}, expected {expected}: {content[:500].decode()}")
    return json.loads(content)
