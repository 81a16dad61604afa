"""Send requests to a running server and read its metrics."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from prometheus_client.parser import text_string_to_metric_families


def numbers_in(text: str) -> dict[str, float]:
    """Return the value of every sample in a text of Prometheus, by name and labels."""
    return {
        name_of(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def name_of(name: str, labels: dict[str, str]) -> str:
    return f"{name}{{{','.join(f'{key}={labels[key]}' for key in sorted(labels))}}}"


def text_at(address: str) -> str:
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:  # noqa: S310 - our own address
        return str(answer.read().decode())


def numbers_at(address: str) -> dict[str, float]:
    return numbers_in(text_at(address))


def ask(address: str, body: Any, *, key: str = "") -> int:
    """Request the score of one row and return the HTTP status."""
    headers = {"content-type": "application/json", "x-api-key": key}
    request = urllib.request.Request(f"{address}/predict", json.dumps(body).encode(), headers)  # noqa: S310 - as below
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own address
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def wait_until(holds: Callable[[], bool], found: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, found()
        time.sleep(0.05)
