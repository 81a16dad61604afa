"""Start a contender, wait for its first answer, and measure its cost."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]  # it ships no types

from benchmarks.serving_rivals.asking import HOST, answers_to
from benchmarks.serving_rivals.contenders import Contender
from benchmarks.serving_rivals.environments import ROOT

SECONDS_TO_START = 180.0
SECONDS_BETWEEN_LOOKS = 0.01
MEGABYTE = 1_000_000
PLAIN = {"PATH": "/usr/bin:/bin", "HOME": tempfile.gettempdir(), "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Running:
    """A server that has given its first good answer."""

    contender: Contender
    port: int
    process: psutil.Process
    start_seconds: float
    start_cpu_seconds: float

    def cpu_seconds(self) -> float:
        """Return what the server and its children have used so far."""
        return _cpu_seconds(self.process)

    def resident_megabytes(self) -> float:
        """Return the resident memory of the server and its children, added up."""
        return float(sum(each.memory_info().rss for each in _family(self.process))) / MEGABYTE

    def megabytes(self) -> tuple[float, float]:
        """Return the resident memory of the server and its children: added up, and with shared pages counted once."""
        found = [each.memory_full_info() for each in _family(self.process)]  # the kernel goes through every page
        return sum(each.rss for each in found) / MEGABYTE, sum(each.pss for each in found) / MEGABYTE


@contextmanager
def running(contender: Contender, first: bytes) -> Iterator[Running]:
    """Yield a server once `first` was answered with 200, and stop it in the end."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(contender.command(port)), cwd=ROOT, env={**PLAIN, **contender.environment},
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            family = psutil.Process(process.pid)
            if not _answers(process, port, first):
                output.seek(0)
                raise RuntimeError(f"{contender.name} did not start: {output.read().decode()[-3000:]}")
            yield Running(contender, port, family, time.perf_counter() - started, _cpu_seconds(family))
        finally:
            _stop(process)


def _answers(process: subprocess.Popen[bytes], port: int, first: bytes) -> bool:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            next(answers_to(port, [first]))
        except OSError:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        else:
            return True
    return False


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    times = [each.cpu_times() for each in _family(process)]
    return float(sum(each.user + each.system + each.children_user + each.children_system for each in times))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server with all that it started, which is a session of its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
            break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
