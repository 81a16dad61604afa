"""Prometheus metrics of the server: requests, refusals, scores, log, models, memory."""

import os
import time
from bisect import bisect_left
from collections import Counter as CounterOf
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
from serving.multiprocess import MULTIPROCESS_DIR, forget_dead

PATHS = frozenset(
    {
        "/predict", "/predict/batch", "/explain", "/feedback", "/feedback/batch",
        "/model", "/health", "/ready", "/metrics",
    }
)  # fmt: skip
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SHARES = tuple(round(0.05 * step, 2) for step in range(1, 21))
_interval_of = partial(bisect_left, SHARES)  # an interval includes its upper limit
MEMORY = Path("/proc/self/statm")
ZERO_MEANS_ABSENT = frozenset({"lab_model", "lab_model_trained_until_seconds"})  # 0: the model is no longer loaded


@dataclass(frozen=True)
class ModelLabels:
    """Labels of a model; `trained_until` is the time of its newest training row in seconds since 1970."""

    fingerprint: str
    version: str
    trained_until: float | None


@dataclass(frozen=True)
class LabelCounts:
    """What one request with labels brought: labels of known predictions, and how many equal the decision.

    `earlier` has the sender of each label that was known and differs; `unknown` is the number of unknown predictions.
    """

    labels: Sequence[bool]
    agreeing: int
    earlier: Sequence[str]
    unknown: int


def seconds_of(moment: str | None) -> float | None:
    """Return a time as seconds since 1970; without a time zone it is UTC."""
    if moment is None:
        return None
    found = datetime.fromisoformat(moment)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


class Metrics:
    """Metrics of one process; with PROMETHEUS_MULTIPROC_DIR set, `text` aggregates those of all workers."""

    def __init__(self, gauges: Path | None = None) -> None:
        registry = self._registry = CollectorRegistry()
        self._gauges = gauges
        self._requests = Counter("lab_requests", "Requests by path and status.", ("path", "status"), registry=registry)
        self._seconds = Histogram(
            "lab_request_seconds", "Latency, from the request's headers to the end of the response.", ("path",),
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self._refused = Counter("lab_refused", "Requests that were refused, by reason.", ("reason",), registry=registry)
        self._refused_rows = Counter(
            "lab_refused_rows", "Rows of requests that were refused for their content, by reason.", ("reason",),
            registry=registry,
        )  # fmt: skip
        self._scores = Histogram(
            "lab_scores", "Scores of answered rows, by arm.", ("arm",), buckets=SHARES, registry=registry
        )
        self._positive = Counter(
            "lab_positives", "Rows that were decided positive, by arm.", ("arm",), registry=registry
        )
        self._waiting = Gauge(
            "lab_log_waiting_lines", "Lines not yet written.", ("log",), registry=registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._lag = Gauge(
            "lab_log_lag_seconds", "Age of the oldest line not yet written.", ("log",),
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self._failing = Gauge(
            "lab_log_failing", "1 while the log cannot be written.", ("log",), registry=registry,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self._lines = {
            name: Counter(f"lab_log_{name}_lines", says, ("log",), registry=registry)
            for name, says in (
                ("written", "Lines that were written."),
                ("failed", "Lines that could not be written; their requests got 503."),
                ("repaired", "Half-written lines that were cut off at the start."),
                ("lost", "Written lines whose file was removed or moved under way."),
            )
        }
        self._workers = Gauge("lab_workers", "Running workers.", registry=registry, multiprocess_mode="livesum")
        self._workers.set(1)
        self._memory = Gauge(
            "lab_resident_bytes", "Resident memory of the workers, on Linux.", registry=registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._model = Gauge(
            "lab_model", "The number of workers that have a model loaded.", ("arm", "fingerprint", "version"),
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._trained_until = Gauge(
            "lab_model_trained_until_seconds", "The time of a model's newest training row.", ("arm", "fingerprint"),
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self._labels = Counter(
            "lab_labels", "Labels of known predictions, by sender and label.", ("sender", "label"), registry=registry
        )
        self._agreeing = Counter(
            "lab_labels_agreeing", "Labels that equal the decision of the model.", ("sender",), registry=registry
        )
        self._contradicting = Counter(
            "lab_labels_contradicting", "Labels that differ from an earlier one, by sender of both.",
            ("sender", "earlier"), registry=registry,
        )  # fmt: skip
        self._unknown = Counter(
            "lab_labels_unknown", "Labels of unknown predictions; they are left out.", ("sender",), registry=registry
        )
        self._refused_models = Gauge(
            "lab_model_refused", "1 while the folder of an arm holds a model that cannot be served.", ("arm",),
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self._models: dict[str, ModelLabels] = {}
        # Cached: looking up labels takes the library longer than counting.
        self._ended = cache(lambda path, status: (self._requests.labels(path, str(status)), self._seconds.labels(path)))
        self._answered = cache(lambda arm: (self._scores.labels(arm), self._positive.labels(arm)))
        self._counted: dict[tuple[str, str], int] = {}

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count a finished request; unknown paths count as `other`."""
        requests, latencies = self._ended(path if path in PATHS else "other", status)
        requests.inc()
        latencies.observe(seconds)

    def count_refusal(self, reason: str, rows: int) -> None:
        """Count a refused request and its rows; rows is 0 when the body was not read."""
        self._refused.labels(reason).inc()
        if rows:
            self._refused_rows.labels(reason).inc(rows)

    def count_rows(self, arms: Sequence[str], scores: Sequence[float], positive: Iterable[bool]) -> None:
        """Count answered rows. The histogram is filled by interval: a call for each row would take milliseconds."""
        sums: dict[str, float] = defaultdict(float)
        for arm, score in zip(arms, scores, strict=True):
            sums[arm] += score
        for arm, total in sums.items():
            self._answered(arm)[0]._sum.inc(total)  # noqa: SLF001 - the public method adds one value at a time
        for (arm, interval), count in CounterOf(zip(arms, map(_interval_of, scores), strict=True)).items():
            self._answered(arm)[0]._buckets[interval].inc(count)  # noqa: SLF001 - as above
        for arm, count in CounterOf(compress(arms, positive)).items():
            self._answered(arm)[1].inc(count)

    def expect_labels(self, senders: Collection[str]) -> None:
        """Show zeros for these senders: Prometheus does not see the increase of a series that is new."""
        for sender in senders:
            for label in (False, True):
                self._labels.labels(sender, int(label))
            for counter in (self._agreeing, self._unknown):
                counter.labels(sender)
            for earlier in senders:
                self._contradicting.labels(sender, earlier)

    def count_labels(self, sender: str, counts: LabelCounts) -> None:
        """Count the labels of one request."""
        for label, count in CounterOf(counts.labels).items():
            self._labels.labels(sender, int(label)).inc(count)
        self._agreeing.labels(sender).inc(counts.agreeing)
        self._unknown.labels(sender).inc(counts.unknown)
        for earlier, count in CounterOf(counts.earlier).items():
            self._contradicting.labels(sender, earlier).inc(count)

    def set_log(self, log: str, *, waiting: int, lag: float, failing: bool, **lines: int) -> None:
        """Set the state of a log; `lines` are the counts written, failed, repaired and lost since it was opened."""
        self._waiting.labels(log).set(waiting)
        self._lag.labels(log).set(lag)
        self._failing.labels(log).set(failing)
        for name, count in lines.items():
            self._lines[name].labels(log).inc(count - self._counted.get((log, name), 0))
            self._counted[log, name] = count

    def set_memory(self) -> None:
        """Set the resident memory of this process; nothing without /proc."""
        if MEMORY.exists():
            self._memory.set(int(MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGESIZE"))

    def set_models(self, models: Mapping[str, ModelLabels]) -> None:
        """Set the loaded models by arm.

        Earlier models become 0 and are hidden: prometheus_client cannot remove a gauge of several workers.
        """
        for arm, earlier in self._models.items():
            self._model.labels(arm, earlier.fingerprint, earlier.version).set(0)
            self._trained_until.labels(arm, earlier.fingerprint).set(0)
        for arm, model in models.items():
            self._model.labels(arm, model.fingerprint, model.version).set(1)
            self._trained_until.labels(arm, model.fingerprint).set(model.trained_until or 0)
        self._models = dict(models)

    def set_refused_models(self, refused: Mapping[str, bool]) -> None:
        """Set whether the model in the folder of each arm is refused; an earlier one is served then."""
        for arm, is_refused in refused.items():
            self._refused_models.labels(arm).set(is_refused)

    def text(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        shown = CollectorRegistry()
        shown.register(_ScrapeCollector(self._registry, self._gauges))
        return generate_latest(shown)


class _ScrapeCollector(Collector):
    """Collects the metrics of this process or of all workers, and the gauges in files of batch jobs."""

    def __init__(self, registry: CollectorRegistry, gauges: Path | None) -> None:
        self._registry, self._gauges = registry, gauges

    def collect(self) -> Iterator[Metric]:
        own = list(map(_shown, self._counted()))
        yield from own
        if self._gauges is not None:
            yield from read_gauges(self._gauges, {family.name for family in own})

    def _counted(self) -> list[Metric]:
        if MULTIPROCESS_DIR not in os.environ:
            return list(self._registry.collect())
        forget_dead(Path(os.environ[MULTIPROCESS_DIR]))
        return list(MultiProcessCollector(None).collect())  # type: ignore[no-untyped-call]  # the library's are untyped


def _shown(family: Metric) -> Metric:
    """Return a family without `_created` samples and without models that are no longer loaded."""
    family.samples = [
        sample
        for sample in family.samples
        if not sample.name.endswith("_created") and (sample.value or family.name not in ZERO_MEANS_ABSENT)
    ]
    return family


class RequestCounter:
    """Outermost middleware: counts each request once, also after an error."""

    def __init__(self, application: ASGIApp, metrics: Metrics) -> None:
        self._application, self._metrics = application, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, send_and_note_status)
        finally:
            self._metrics.count_request(scope["path"], status, time.perf_counter() - started)
            state = scope.get("state", {})
            if reason := state.get("refused"):
                self._metrics.count_refusal(reason, state.get("refused_rows", 0))
