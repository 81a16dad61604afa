"""Clients that send requests without a pause, and the version that a server reports."""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tests.serving.asking import ask
from tests.serving.served import ROWS


@contextmanager
def constant_requests(address: str, *, key: str = "") -> Iterator[Counter[int]]:
    """Yield the count of each status that two busy clients receive."""
    statuses, stopped = Counter[int](), Event()

    def request_on() -> None:
        while not stopped.is_set():
            statuses[ask(address, {"features": ROWS[0]}, key=key)] += 1

    clients = [Thread(target=request_on) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        yield statuses
    finally:
        stopped.set()
        for client in clients:
            client.join()


def version_at(address: str) -> str:
    with urllib.request.urlopen(f"{address}/model", timeout=10) as answer:  # noqa: S310 - our own address
        return str(json.load(answer)["champion"]["version"])
