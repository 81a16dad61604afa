"""Make request bodies from the server's OpenAPI document or from its prediction log."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

ONE, MANY = "/predict", "/predict/batch"


def rows_of_log(path: Path) -> list[dict[str, Any]]:
    """Return the features of a file of JSON lines: the prediction log's, or features alone."""
    lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line)
    return [line.get("features", line) for line in lines]


def rows_of_openapi(openapi: Mapping[str, Any], *, count: int, seed: int) -> list[dict[str, Any]]:
    """Return rows that the API takes: first its own example, then some like it; without one, values of its types."""
    content = openapi["paths"][ONE]["post"]["requestBody"]["content"]["application/json"]
    rng = Random(seed)  # noqa: S311 - no secret
    if (example := _example(content) or _example(content["schema"])) is not None:
        usual = example["features"]
        return [usual, *({name: _like(value, rng) for name, value in usual.items()} for _ in range(count - 1))]
    features = openapi["components"]["schemas"]["Features"]["properties"]
    return [{name: _value(schema, rng) for name, schema in features.items()} for _ in range(count)]


def bodies(rows: Sequence[Mapping[str, Any]], *, rows_each: int | None = None) -> Iterator[bytes]:
    """Yield bodies without end: of one row each or, with `rows_each`, of that many by columns."""
    endless = cycle(rows)
    if rows_each is None:
        yield from cycle([json.dumps({"features": row}).encode() for row in rows])
    while True:
        batch = list(islice(endless, rows_each))
        yield json.dumps({"columns": {name: [row[name] for row in batch] for name in batch[0]}}).encode()


def _example(schema: Mapping[str, Any]) -> Any:
    if "example" in schema:
        return schema["example"]
    examples = schema.get("examples") or [None]
    first = next(iter(examples.values())) if isinstance(examples, Mapping) else examples[0]
    return first.get("value", first) if isinstance(first, Mapping) else first


def _like(value: Any, rng: Random) -> Any:
    """Return a number of the same size, so that not every score is the same; anything else as it is."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(value * rng.uniform(0.5, 1.5), 2) if number else value


def _value(schema: Mapping[str, Any], rng: Random) -> Any:
    kinds = {each.get("type") for each in schema.get("anyOf", [schema])}
    if "boolean" in kinds:
        return rng.random() < 0.5
    if "number" in kinds:
        return round(rng.gauss(0, 100), 2)
    return rng.choice("abc")
