"""People who ask a server without a pause, and what it says of itself meanwhile."""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tests.serving.asking import ask
from tests.serving.served import ROWS


@contextmanager
def asked_all_the_time(address: str, *, key: str = "") -> Iterator[Counter[int]]:
    """Yield what two who never rest are answered: how often which status."""
    answers, over = Counter[int](), Event()

    def go_on() -> None:
        while not over.is_set():
            answers[ask(address, {"features": ROWS[0]}, key=key)] += 1

    askers = [Thread(target=go_on) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        yield answers
    finally:
        over.set()
        for asker in askers:
            asker.join()


def version_at(address: str) -> str:
    with urllib.request.urlopen(f"{address}/model", timeout=10) as answer:  # noqa: S310 - our own address
        return str(json.load(answer)["champion"]["version"])
