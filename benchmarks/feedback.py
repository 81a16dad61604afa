"""Measure how long a real server takes for labels, one by one and in batches.

python -m benchmarks.feedback --labels 4362 --durability always
"""

import argparse
import http.client
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.serving.served import COLUMNS, model_folder
from tests.serving.server import served

JSON = {"content-type": "application/json"}
MOST_IN_A_BATCH = 10_000


def main(arguments: list[str]) -> None:
    asked = _parsed(arguments)
    with tempfile.TemporaryDirectory(prefix="feedback-") as made:
        folder = Path(made)
        settings = {"champion": str(model_folder(folder / "champion")), "log": str(folder / "log")}
        with served(folder, workers=asked.workers, durability=asked.durability, **settings) as address:
            figures = measured(address.removeprefix("http://"), asked.labels)
    print(json.dumps({**vars(asked), **figures}, indent=2))


def measured(host: str, count: int) -> dict[str, float]:
    """Return the seconds of both ways; each takes new predictions."""
    with closing(http.client.HTTPConnection(host, timeout=60)) as connection:
        one_by_one, started = predictions(connection, count), time.perf_counter()
        for identifier in one_by_one:
            post(connection, "/feedback", {"id": identifier, "label": True})
        seconds = time.perf_counter() - started
        ids, accepted, started = predictions(connection, count), 0, time.perf_counter()
        for first in range(0, count, MOST_IN_A_BATCH):
            part = ids[first : first + MOST_IN_A_BATCH]
            accepted += post(connection, "/feedback/batch", {"ids": part, "labels": [True] * len(part)})["accepted"]
        figures = {"one by one": round(seconds, 3), "in batches": round(time.perf_counter() - started, 3)}
    assert accepted == count
    return figures


def predictions(connection: http.client.HTTPConnection, count: int) -> list[str]:
    """Return the ids of so many predictions."""
    ids: list[str] = []
    while len(ids) < count:
        ids += post(connection, "/predict/batch", {"columns": COLUMNS})["ids"]
    return ids[:count]


def post(connection: http.client.HTTPConnection, path: str, body: Mapping[str, Any]) -> Any:
    connection.request("POST", path, json.dumps(body), JSON)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status < 300, content
    return json.loads(content)


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.feedback", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=int, default=4362, help="[%(default)s]")
    parser.add_argument("--workers", type=int, default=1, help="[%(default)s]")
    parser.add_argument("--durability", default="always", choices=["always", "batched", "never"], help="[%(default)s]")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
