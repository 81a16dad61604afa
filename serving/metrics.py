"""Count what is asked and answered, for Prometheus: a layer around the API, with one look at the clock at each end."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = frozenset({"/predict", "/predict/batch", "/feedback", "/explain", "/model", "/health", "/ready", "/metrics"})
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SHARES = tuple(round(0.05 * step, 2) for step in range(1, 21))
SHARED = "PROMETHEUS_MULTIPROC_DIR"  # where several workers keep their numbers; prometheus_client reads it


class Metrics:
    """The numbers of one process; with PROMETHEUS_MULTIPROC_DIR set, `text` adds up those of all workers."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter("lab_requests", "Requests by path and status.", ("path", "status"), registry=registry)
        self._seconds = Histogram(
            "lab_request_seconds", "From the request's head to the answer's end.", ("path",),
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self._refused = Counter("lab_refused", "Requests that were refused, by reason.", ("reason",), registry=registry)
        self._scores = Histogram(
            "lab_scores", "Scores of answered rows, by arm.", ("arm",), buckets=SHARES, registry=registry
        )
        self._positive = Counter(
            "lab_positives", "Rows that were decided positive, by arm.", ("arm",), registry=registry
        )
        self._log = {
            name: Gauge(f"lab_log_{name}", says, ("log",), registry=registry, multiprocess_mode="livesum")
            for name, says in (
                ("waiting_lines", "Lines that are not yet written."),
                ("failed_lines", "Lines that could not be written."),
                ("repaired_lines", "Torn lines that were cut off at the start."),
            )
        }
        self._model = Gauge(
            "lab_model", "1 for each model that answers.", ("arm", "fingerprint", "version"),
            registry=registry, multiprocess_mode="max",
        )  # fmt: skip

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count a request that has ended; paths that nobody serves are one."""
        known = path if path in PATHS else "other"
        self._requests.labels(known, str(status)).inc()
        self._seconds.labels(known).observe(seconds)

    def count_refusal(self, reason: str) -> None:
        """Count a request that was refused."""
        self._refused.labels(reason).inc()

    def count_rows(self, arms: Sequence[str], scores: Iterable[float], positive: Iterable[bool]) -> None:
        """Count answered rows."""
        for arm, score, decided in zip(arms, scores, positive, strict=True):
            self._scores.labels(arm).observe(score)
            if decided:
                self._positive.labels(arm).inc()

    def say_log(self, log: str, *, waiting: int, failed: int, repaired: int) -> None:
        """Say how a log is doing."""
        for name, value in (("waiting_lines", waiting), ("failed_lines", failed), ("repaired_lines", repaired)):
            self._log[name].labels(log).set(value)

    def say_models(self, models: Mapping[str, tuple[str, str]]) -> None:
        """Say which models answer: fingerprint and version by arm; those that went are said no more."""
        self._model.clear()
        for arm, (fingerprint, version) in models.items():
            self._model.labels(arm, fingerprint, version).set(1)

    def text(self) -> bytes:
        """Return the numbers as Prometheus reads them."""
        if SHARED not in os.environ:
            return generate_latest(self._registry)
        joined = CollectorRegistry()
        MultiProcessCollector(joined)  # type: ignore[no-untyped-call]  # the library leaves this one untyped
        return generate_latest(joined)


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
            if reason := scope.get("state", {}).get("refused"):
                self._metrics.count_refusal(reason)
