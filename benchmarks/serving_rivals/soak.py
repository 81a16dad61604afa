"""Load our server at half of its peak for minutes, and measure its memory."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load.arrivals import poisson_arrivals
from benchmarks.load.bodies import bodies
from benchmarks.load.client import Target, load
from benchmarks.load.outcomes import summary
from benchmarks.serving_rivals.asking import HOST, closed_loop
from benchmarks.serving_rivals.contenders import DURABLE, our_own
from benchmarks.serving_rivals.intervals import slope_of
from benchmarks.serving_rivals.models import Prepared
from benchmarks.serving_rivals.rounds import SEVERAL
from benchmarks.serving_rivals.servers import Running, running

SECONDS_FOR_THE_PEAK = 10.0
SECONDS_OF_WARMING = 30.0
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_WAIT = 10.0
CONNECTIONS = 64
SEED = 6


def soaked(prepared: Prepared, *, minutes: float) -> dict[str, Any]:
    """Return what came of it: peak rate, errors, latencies, and how fast memory rose after the first half minute."""
    with tempfile.TemporaryDirectory() as folder:
        (contender,) = (each for each in our_own(prepared, Path(folder)) if each.name == DURABLE)
        rows = prepared.rows(switches=contender.form.switches)
        requests = [contender.form.request_for_one(row) for row in rows]
        with running(contender, requests[0]) as server:
            peak = closed_loop(server.port, requests, seconds=SECONDS_FOR_THE_PEAK, connections=SEVERAL).per_second
            with _watched(server) as looks:
                found = _loaded(server, rows, rate=peak / 2, seconds=minutes * 60)
        settled = [(moment / 60, megabytes) for moment, megabytes in looks if moment > SECONDS_OF_WARMING]
    return {"peak a second": round(peak, 1), **found, "memory": _memory(settled)}


def _loaded(server: Running, rows: list[dict[str, Any]], *, rate: float, seconds: float) -> dict[str, Any]:
    target = Target(f"http://{HOST}:{server.port}", server.contender.form.one, {}, CONNECTIONS, SECONDS_TO_WAIT)
    arrivals = poisson_arrivals(rate=rate, seconds=seconds, seed=SEED)
    cpu = server.cpu_seconds()
    found = summary(asyncio.run(load(target, arrivals, bodies(rows))), seconds=seconds)
    return {**found, "server CPU share": round((server.cpu_seconds() - cpu) / seconds, 3)}


def _memory(looks: list[tuple[float, float]]) -> dict[str, Any]:
    moments, megabytes = zip(*looks, strict=True)
    slope, low, high = slope_of(moments, megabytes)
    return {
        "first, last, largest, megabytes": [round(each, 2) for each in (megabytes[0], megabytes[-1], max(megabytes))],
        "megabytes a minute": round(slope, 4),
        "interval": [round(low, 4), round(high, 4)],
    }


@contextmanager
def _watched(server: Running) -> Iterator[list[tuple[float, float]]]:
    """Look at a server's resident memory each second; moments are seconds from the start."""
    looks: list[tuple[float, float]] = []
    ended, started = threading.Event(), time.monotonic()

    def look() -> None:
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            looks.append((time.monotonic() - started, server.resident_megabytes()))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield looks
    finally:
        ended.set()
        thread.join()
