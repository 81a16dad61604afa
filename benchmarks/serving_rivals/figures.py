"""Compute the figures of each contender and their ratios from the rounds."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.load.outcomes import quantile
from benchmarks.serving_rivals.asking import Asked
from benchmarks.serving_rivals.contenders import BARE, BATCHED, DURABLE, FASTAPI, MLFLOW_SERVE, WITH_METRICS
from benchmarks.serving_rivals.intervals import ratio_of
from benchmarks.serving_rivals.rounds import MANY, ONE, TOGETHER, Seen

MILLISECONDS = 1000
DIGITS = 4


@dataclass(frozen=True)
class Bar:
    """A ratio of ours to theirs; with a lower or upper requirement, or none."""

    figure: str
    values: Callable[[Seen], Sequence[float]]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def asked(self) -> str:
        """The requirement in words."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return "" if self.at_most is None else f"at most {self.at_most:g}"

    def met_by(self, ratio: float) -> bool | None:
        """Return whether a ratio is as good as it must be; None without a requirement."""
        if self.at_least is not None:
            return ratio >= self.at_least
        return None if self.at_most is None else ratio <= self.at_most


def rates(way: str) -> Callable[[Seen], Sequence[float]]:
    """Return what gives each round's requests a second."""
    return lambda seen: [asked.per_second for asked in seen.asked[way]]


def middles(way: str) -> Callable[[Seen], Sequence[float]]:
    """Return what gives each round's median latency."""
    return lambda seen: [quantile(asked.latencies, 0.5) for asked in seen.asked[way]]


BARS = (
    Bar("requests a second, one row", rates(ONE), at_least=25),
    Bar("median latency, one row", middles(ONE), at_most=1 / 20),
    Bar("requests a second, one row, 16 connections", rates(TOGETHER)),
    Bar("requests a second, 1,000 rows", rates(MANY), at_least=1.5),
    Bar("resident memory", lambda seen: seen.resident_megabytes, at_most=1 / 4),
    Bar("memory, shared pages once", lambda seen: seen.proportional_megabytes, at_most=1 / 4),
    Bar("seconds until the first answer", lambda seen: seen.start_seconds, at_most=1 / 5),
    Bar("CPU seconds until the first answer", lambda seen: seen.start_cpu_seconds, at_most=1 / 5),
)
TOLD = tuple(replace(bar, at_least=None, at_most=None) for bar in BARS)
KEPT = (
    Bar("requests a second, one row", rates(ONE), at_least=0.75),
    Bar("requests a second, one row, 16 connections", rates(TOGETHER), at_least=0.75),
    Bar("requests a second, 1,000 rows", rates(MANY), at_least=0.75),
)


def figures_of(seen: Mapping[str, Seen]) -> dict[str, Any]:
    """Return each contender's figures, and the ratios with their intervals."""
    return {
        "each": {name: own_figures(each) for name, each in seen.items()},
        "beside rivals": {
            f"{ours} / {theirs}": _ratios(seen[ours], seen[theirs], BARS if theirs.startswith(MLFLOW_SERVE) else TOLD)
            for theirs in seen
            if theirs.startswith((MLFLOW_SERVE, FASTAPI))
            for ours in (WITH_METRICS, DURABLE)
        },
        "beside bare": {
            f"{ours} / {BARE}": _ratios(seen[ours], seen[BARE], KEPT) for ours in (WITH_METRICS, BATCHED, DURABLE)
        },
    }


def own_figures(seen: Seen) -> dict[str, Any]:
    """Return the figures of one contender."""
    return {
        "start": {
            "seconds": _middle(seen.start_seconds),
            "CPU seconds": _middle(seen.start_cpu_seconds),
        },
        "megabytes": {
            "resident": _middle(seen.resident_megabytes),
            "shared pages once": _middle(seen.proportional_megabytes),
        },
        **{way: _asked(asked, seen.server_cpu_seconds[way]) for way, asked in seen.asked.items()},
    }


def _asked(rounds: Sequence[Asked], server_cpu: Sequence[float]) -> dict[str, Any]:
    latencies = [latency for asked in rounds for latency in asked.latencies]
    seconds = sum(asked.seconds for asked in rounds)
    return {
        "requests": len(latencies),
        "a second": _rounded(statistics.median(asked.per_second for asked in rounds)),
        "p50 ms": _rounded(quantile(latencies, 0.5) * MILLISECONDS),
        "p99 ms": _rounded(quantile(latencies, 0.99) * MILLISECONDS),
        "server CPU ms a request": _rounded(sum(server_cpu) / len(latencies) * MILLISECONDS),
        "client CPU share": _rounded(sum(asked.client_cpu_seconds for asked in rounds) / seconds),
    }


def _ratios(ours: Seen, theirs: Seen, bars: Sequence[Bar]) -> dict[str, Any]:
    found = {}
    for bar in bars:
        ratio, low, high = ratio_of(bar.values(ours), bar.values(theirs))
        found[bar.figure] = {
            "ratio": _rounded(ratio),
            "interval": [_rounded(low), _rounded(high)] if len(bar.values(ours)) > 1 else None,
            "asked": bar.asked,
            "met": bar.met_by(ratio),
        }
    return found


def _middle(values: Sequence[float]) -> float | None:
    return _rounded(statistics.median(values)) if values else None


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
