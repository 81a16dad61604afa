"""Run a command as a process, and return the cost that the operating system counted."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What one finished process cost, its children counted where they were waited for."""

    cpu_seconds: float
    wall_seconds: float
    peak_megabytes: float


def cost_of(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command that must succeed; return its cost."""
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} left with {process.returncode}")
    wall = time.perf_counter() - started
    return Cost(round(usage.ru_utime + usage.ru_stime, 3), round(wall, 3), round(usage.ru_maxrss / 1024, 1))


def median_cost(
    command: Sequence[str], *, cwd: Path, runs: int = 5, environment: Mapping[str, str] | None = None
) -> Cost:
    """Return the median of each figure over several runs, after one that does not count."""
    cost_of(command, cwd=cwd, environment=environment)
    costs = [cost_of(command, cwd=cwd, environment=environment) for _ in range(runs)]
    return Cost(
        statistics.median(cost.cpu_seconds for cost in costs),
        statistics.median(cost.wall_seconds for cost in costs),
        statistics.median(cost.peak_megabytes for cost in costs),
    )
