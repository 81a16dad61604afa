"""Count what is asked and answered, for Prometheus: a layer around the API, with one look at the clock at each end."""

import os
import time
from bisect import bisect_left
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import compress
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.gauges import read_gauges
from serving.multiprocess import SHARED, forget_dead

PATHS = frozenset({"/predict", "/predict/batch", "/feedback", "/explain", "/model", "/health", "/ready", "/metrics"})
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SHARES = tuple(round(0.05 * step, 2) for step in range(1, 21))
_interval_of = partial(bisect_left, SHARES)  # an interval holds its upper limit
MEMORY = Path("/proc/self/statm")
PASSING = frozenset({"lab_model", "lab_model_trained_until_seconds"})  # 0 stands for a model that has gone


@dataclass(frozen=True)
class Named:
    """What the metrics tell of a model; `trained_until` is its newest training row's moment, in seconds since 1970."""

    fingerprint: str
    version: str
    trained_until: float | None


def seconds_of(moment: str | None) -> float | None:
    """Return a moment as seconds since 1970; one that names no zone is in UTC."""
    if moment is None:
        return None
    found = datetime.fromisoformat(moment)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


class Metrics:
    """The numbers of one process; with PROMETHEUS_MULTIPROC_DIR set, `text` adds up those of all workers."""

    def __init__(self, gauges: Path | None = None) -> None:
        registry = self._registry = CollectorRegistry()
        self._gauges = gauges
        self._requests = Counter("lab_requests", "Requests by path and status.", ("path", "status"), registry=registry)
        self._seconds = Histogram(
            "lab_request_seconds", "From the request's head to the answer's end.", ("path",),
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self._refused = Counter("lab_refused", "Requests that were refused, by reason.", ("reason",), registry=registry)
        self._refused_rows = Counter(
            "lab_refused_rows", "Rows of requests that were refused for what they say, by reason.", ("reason",),
            registry=registry,
        )  # fmt: skip
        self._scores = Histogram(
            "lab_scores", "Scores of answered rows, by arm.", ("arm",), buckets=SHARES, registry=registry
        )
        self._positive = Counter(
            "lab_positives", "Rows that were decided positive, by arm.", ("arm",), registry=registry
        )
        self._waiting = Gauge(
            "lab_log_waiting_lines", "Lines that are not yet written.", ("log",), registry=registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._lag = Gauge(
            "lab_log_lag_seconds", "How long the oldest line that is not yet written has waited.", ("log",),
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self._lines = {
            name: Counter(f"lab_log_{name}_lines", says, ("log",), registry=registry)
            for name, says in (
                ("written", "Lines that were written."),
                ("failed", "Lines that could not be written."),
                ("repaired", "Torn lines that were cut off at the start."),
            )
        }
        self._workers = Gauge("lab_workers", "Workers that live.", registry=registry, multiprocess_mode="livesum")
        self._workers.set(1)
        self._memory = Gauge(
            "lab_resident_bytes", "Memory that the workers hold, where the system tells.", registry=registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._model = Gauge(
            "lab_model", "In how many workers a model answers.", ("arm", "fingerprint", "version"),
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._trained_until = Gauge(
            "lab_model_trained_until_seconds", "The moment of a model's newest training row.", ("arm", "fingerprint"),
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self._said: dict[str, Named] = {}
        # To look labels up takes the library longer than to count.
        self._ended = cache(lambda path, status: (self._requests.labels(path, str(status)), self._seconds.labels(path)))
        self._answered = cache(lambda arm: (self._scores.labels(arm), self._positive.labels(arm)))
        self._counted: dict[tuple[str, str], int] = {}

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count a request that has ended; paths that nobody serves are one."""
        requests, latencies = self._ended(path if path in PATHS else "other", status)
        requests.inc()
        latencies.observe(seconds)

    def count_refusal(self, reason: str, rows: int) -> None:
        """Count a request that was refused, and its rows; there are none where it was refused unread."""
        self._refused.labels(reason).inc()
        if rows:
            self._refused_rows.labels(reason).inc(rows)

    def count_rows(self, arms: Sequence[str], scores: Sequence[float], positive: Iterable[bool]) -> None:
        """Count answered rows. The histogram is filled by interval, for one call a row costs a batch milliseconds."""
        sums: dict[str, float] = defaultdict(float)
        for arm, score in zip(arms, scores, strict=True):
            sums[arm] += score
        for arm, total in sums.items():
            self._answered(arm)[0]._sum.inc(total)  # noqa: SLF001 - the library adds one value at a time only
        for (arm, interval), count in Tally(zip(arms, map(_interval_of, scores), strict=True)).items():
            self._answered(arm)[0]._buckets[interval].inc(count)  # noqa: SLF001 - as above
        for arm, count in Tally(compress(arms, positive)).items():
            self._answered(arm)[1].inc(count)

    def say_log(self, log: str, *, waiting: int, lag: float, **lines: int) -> None:
        """Say how a log is doing; `lines` are how many were written, failed and repaired since it was opened."""
        self._waiting.labels(log).set(waiting)
        self._lag.labels(log).set(lag)
        for name, count in lines.items():
            self._lines[name].labels(log).inc(count - self._counted.get((log, name), 0))
            self._counted[log, name] = count

    def say_memory(self) -> None:
        """Say how much memory this process holds; nothing where there is no /proc."""
        if MEMORY.exists():
            self._memory.set(int(MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGESIZE"))

    def say_models(self, models: Mapping[str, Named]) -> None:
        """Say which models answer, by arm; those that went are said no more.

        They are set to 0 and left out of the text, for prometheus_client cannot take a gauge back from several workers.
        """
        for arm, gone in self._said.items():
            self._model.labels(arm, gone.fingerprint, gone.version).set(0)
            self._trained_until.labels(arm, gone.fingerprint).set(0)
        for arm, model in models.items():
            self._model.labels(arm, model.fingerprint, model.version).set(1)
            self._trained_until.labels(arm, model.fingerprint).set(model.trained_until or 0)
        self._said = dict(models)

    def text(self) -> bytes:
        """Return the numbers as Prometheus reads them."""
        shown = CollectorRegistry()
        shown.register(_Shown(self._registry, self._gauges))
        return generate_latest(shown)


class _Shown(Collector):
    """What a scrape sees: the numbers of this process or of all workers, and the files of batch jobs."""

    def __init__(self, registry: CollectorRegistry, gauges: Path | None) -> None:
        self._registry, self._gauges = registry, gauges

    def collect(self) -> Iterator[Metric]:
        own = list(map(_shown, self._counted()))
        yield from own
        if self._gauges is not None:
            yield from read_gauges(self._gauges, {family.name for family in own})

    def _counted(self) -> list[Metric]:
        if SHARED not in os.environ:
            return list(self._registry.collect())
        forget_dead(Path(os.environ[SHARED]))
        return list(MultiProcessCollector(None).collect())  # type: ignore[no-untyped-call]  # the library's are untyped


def _shown(family: Metric) -> Metric:
    """Return a family without models that have gone, and without when each number was made, which nobody asks."""
    family.samples = [
        sample
        for sample in family.samples
        if not sample.name.endswith("_created") and (sample.value or family.name not in PASSING)
    ]
    return family


class Counted:
    """A layer around everything else that counts each request once, however it ends."""

    def __init__(self, application: ASGIApp, metrics: Metrics) -> None:
        self._application, self._metrics = application, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, seen)
        finally:
            self._metrics.count_request(scope["path"], status, time.perf_counter() - begun)
            state = scope.get("state", {})
            if reason := state.get("refused"):
                self._metrics.count_refusal(reason, state.get("refused_rows", 0))
