"""The paths, bodies and answer formats of each contender."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Form:
    """The API of a contender, for one row and for many in the way that is natural to it."""

    one: str
    many: str
    body_of_one: Callable[[Row], Any]
    body_of_many: Callable[[Sequence[Row]], Any]
    scores_of_one: Callable[[Any], list[float]]
    scores_of_many: Callable[[Any], list[float]]
    switches: bool = False
    """Whether booleans must be booleans; else they are the numbers that the pipeline was fitted on."""

    def request_for_one(self, row: Row) -> bytes:
        """Return a whole request about one row."""
        return request_bytes(self.one, self.body_of_one(row))

    def request_for_many(self, rows: Sequence[Row]) -> bytes:
        """Return a whole request about many rows."""
        return request_bytes(self.many, self.body_of_many(rows))


def request_bytes(path: str, body: Any) -> bytes:
    """Return a request as it goes over the wire."""
    content = json.dumps(body, allow_nan=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON knows them: None for what is missing.

    >>> plain_rows(pd.DataFrame({"a": [1.0, float("nan")], "b": ["x", None]}))
    [{'a': 1.0, 'b': 'x'}, {'a': None, 'b': None}]
    """
    return [
        {str(name): None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]


def columns_of(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return rows as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def _split(rows: Sequence[Row]) -> dict[str, Any]:
    return {"dataframe_split": {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}}


def _second(answer: Any) -> list[float]:
    return [pair[1] for pair in answer["predictions"]]


OURS = Form(
    "/predict",
    "/predict/batch",
    lambda row: {"features": row},
    lambda rows: {"columns": columns_of(rows)},
    lambda answer: [answer["score"]],
    lambda answer: list(answer["scores"]),
    switches=True,
)
MLFLOW = Form("/invocations", "/invocations", lambda row: _split([row]), _split, _second, _second)
PANDAS = Form(
    "/predict",
    "/predict/batch",
    lambda row: row,
    list,
    lambda answer: [answer["probability"]],
    lambda answer: list(answer["probabilities"]),
)
