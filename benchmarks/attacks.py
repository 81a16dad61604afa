"""Attack the prediction server; measure its memory, CPU time and other clients.

Every attack meets a new server. Meanwhile another client, on a new connection each time, requests a score 20 times a
second. The columns: resident memory of the server's processes before the attack and at its peak (high-water mark of the
kernel, summed over processes); CPU seconds of the server; the other client's slowest answer and failed requests;
connections of the attack that the server still holds at the end. Linux only.

  python -m benchmarks attacks
  python -m benchmarks attacks --only silent --command "python -m serving --port {port}"

Exit code 1: memory above --megabytes, or the other client failed or waited longer than --wait.
"""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import argparse
import asyncio
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships no types

from benchmarks.serving_rivals.environments import ROOT

HOST = "127.0.0.1"
MEGABYTE = 1_000_000
SECONDS_BETWEEN_REQUESTS = 0.05
KEY = "the key of the benchmark"
COMMAND = f"{sys.executable} -m serving --port {{port}}"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Attack:
    """Bytes that each of some connections sends; it may stay open after that, or read no answer."""

    connections: int
    content: Callable[[Row], bytes]
    stays: bool = False
    reads: bool = True


@dataclass(frozen=True)
class Outcome:
    """What an attack did to the server and to another client."""

    attack: str
    megabytes_before: float
    megabytes_at_peak: float
    cpu_seconds: float
    slowest_seconds: float
    answered: int
    failed: int
    connections_left: int


def post(path: str, body: bytes, *, size: int | None = None, key: str = KEY) -> bytes:
    """Return a request; with `size`, it announces a larger body than it sends."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body) if size is None else size}\r\n\r\n"
    )
    return head.encode() + body


def filled(start: str, item: str, end: str, *, megabytes: float) -> bytes:
    """Return a body of a given size: items between start and end, where {} in an item is its number."""
    count = int(megabytes * MEGABYTE / len(item.format(1_000_000) + ","))
    return (start + ",".join(item.format(1_000_000 + number) for number in range(count)) + end).encode()


def wrong_last_row(row: Row, *, rows: int = 10_000) -> bytes:
    """Return a batch by rows whose last row has an unknown column."""
    good, wrong = json.dumps({"features": dict(row)}), json.dumps({"features": {**row, "surprise": 1}})
    return f'{{"rows": [{",".join([good] * (rows - 1))},{wrong}]}}'.encode()


def attacks(*, scale: float = 1.0, most: float = 7.8) -> dict[str, Attack]:
    """Return the attacks; scale reduces their connections, and most is the size of the largest bodies."""

    def count(connections: int) -> int:
        return max(1, round(connections * scale))

    batch = "/predict/batch"
    return {
        "0.2 MB of 10,000 empty objects, 8 times": Attack(
            count(8), lambda _: post(batch, b'{"rows": [' + b", ".join([b'{"features": {}}'] * 10_000) + b"]}")
        ),
        "unknown columns, 8 times": Attack(
            count(8), lambda _: post(batch, filled('{"columns": {', '"c{}": []', "}}", megabytes=most * 0.9))
        ),
        "unknown fields of feedback, 8 times": Attack(
            count(8),
            lambda _: post("/feedback", filled('{"id": "a", "label": true, ', '"f{}": 0', "}", megabytes=most)),
        ),
        "one column of millions of numbers, 8 times": Attack(
            count(8),
            lambda row: post(batch, filled(f'{{"columns": {{"{min(row)}": [', "0", "]}}", megabytes=most)),
        ),
        "millions of short strings as units, 8 times": Attack(
            count(8), lambda _: post(batch, filled('{"units": [', '"a"', '], "columns": {}}', megabytes=most))
        ),
        "millions of rows, 8 times": Attack(
            count(8), lambda _: post(batch, filled('{"rows": [', "{{}}", "]}", megabytes=most))
        ),
        "10,000 rows, the last one wrong, 8 times": Attack(count(8), lambda row: post(batch, wrong_last_row(row))),
        "deep nesting, 8 times": Attack(
            count(8), lambda _: post(batch, b'{"rows": ' + b"[" * int(most * MEGABYTE / 2) + b"]" * 1000)
        ),
        "40 MB of small headers": Attack(
            count(4),
            lambda _: b"POST /predict HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * round(10 * scale * MEGABYTE / 6),
        ),
        "one header of 40 MB": Attack(
            count(4), lambda _: b"POST /predict HTTP/1.1\r\nHost: a\r\na: " + b"b" * round(10 * scale * MEGABYTE)
        ),
        "40 unfinished bodies": Attack(
            count(40),
            lambda _: post(batch, b" " * int(most * MEGABYTE - 1), size=int(most * MEGABYTE)),
            stays=True,
        ),
        "1,000 unfinished small bodies": Attack(
            count(1000), lambda _: post("/predict", b" " * 200_000, size=200_001), stays=True
        ),
        "300 half-sent heads": Attack(count(300), lambda _: b"POST /predict HTTP/1.1\r\nHost: a\r\n", stays=True),
        "1,100 silent connections": Attack(count(1100), lambda _: b"", stays=True),
        "5,000 silent connections": Attack(count(5000), lambda _: b"", stays=True),
        "20,000 requests in one connection, no answer read": Attack(
            count(4), lambda _: b"GET /openapi.json HTTP/1.1\r\nHost: a\r\nX-API-Key: %b\r\n\r\n" % KEY.encode() * 5000,
            stays=True, reads=False,
        ),
    }  # fmt: skip


async def attacked(name: str, attack: Attack, *, champion: Path, row: Row, seconds: float, command: str) -> Outcome:
    """Return what an attack, held for some seconds, does to a new server."""
    async with running(champion, row, command=command) as (port, process):
        content = attack.content(row)
        before, cpu = memory(process), cpu_seconds(process)
        stopped = threading.Event()  # the other client has its own event loop, which the attack does not slow down
        other = asyncio.create_task(asyncio.to_thread(asyncio.run, other_client(port, row, until=stopped)))
        async with AsyncExitStack() as stack:
            sending = [stack.enter_async_context(connection(port, content, attack)) for _ in range(attack.connections)]
            writers = await asyncio.gather(*sending)
            await asyncio.sleep(seconds)
            left = sum(attack.stays and writer is not None and not writer.is_closing() for writer in writers)
            stopped.set()
            waits = await other
        good = [wait for wait in waits if wait is not None]
        return Outcome(
            attack=name,
            megabytes_before=round(before, 1),
            megabytes_at_peak=round(peak_memory(process), 1),
            cpu_seconds=round(cpu_seconds(process) - cpu, 2),
            slowest_seconds=round(max(good, default=float("inf")), 3),
            answered=len(good),
            failed=len(waits) - len(good),
            connections_left=left,
        )


class Dropped(asyncio.Protocol):
    """Reads and forgets what the server sends, and closes when the server closes."""

    def __init__(self, *, reads: bool) -> None:
        self._reads, self.ended, self.writable = reads, asyncio.Event(), asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        if not self._reads:
            transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"HTTP/"):
            self.ended.set()

    def connection_lost(self, _: Exception | None) -> None:
        self.ended.set()
        self.writable.set()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()


@asynccontextmanager
async def connection(port: int, content: bytes, attack: Attack) -> AsyncIterator[Any]:
    """Send bytes on a new connection, as far as the server reads them; wait for an answer unless it stays open."""
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.create_connection(lambda: Dropped(reads=attack.reads), HOST, port)
    except OSError:
        yield None
        return
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                for start in range(0, len(content), 65_536):
                    if transport.is_closing() or protocol.ended.is_set():
                        break
                    transport.write(content[start : start + 65_536])
                    await protocol.writable.wait()
                if not attack.stays:
                    await protocol.ended.wait()
        yield transport
    finally:
        transport.abort()


async def other_client(port: int, row: Row, *, until: threading.Event) -> list[float | None]:
    """Return the seconds of each request for a score, None for a failed one."""
    request, waits = post("/predict", json.dumps({"features": dict(row)}).encode()), list[float | None]()
    while not until.is_set() or not waits:
        waits.append(await one_answer(port, request))
        await asyncio.sleep(SECONDS_BETWEEN_REQUESTS)
    return waits


async def one_answer(port: int, request: bytes) -> float | None:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(request)
            status = await reader.readline()
            writer.close()
    except OSError:
        return None
    return time.perf_counter() - started if b" 200 " in status else None


@asynccontextmanager
async def running(champion: Path, row: Row, *, command: str) -> AsyncIterator[tuple[int, Any]]:
    """Yield the port and the process of a new server that has answered some requests."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "LAB_CHAMPION": str(champion), "LAB_API_KEY": KEY}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            shlex.split(command.format(port=port)), cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        try:
            await answering(process, port, row)
            yield port, psutil.Process(process.pid)
        finally:
            kill(psutil.Process(process.pid))
            process.wait()


async def answering(process: subprocess.Popen[bytes], port: int, row: Row) -> None:
    request = post("/predict", json.dumps({"features": dict(row)}).encode())
    deadline, answers = time.monotonic() + 60, 0
    while answers < 20:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the server did not start")
        answers += await one_answer(port, request) is not None
        await asyncio.sleep(0.02)


def kill(process: Any) -> None:
    """End the server at once: it would finish the requests of the attack first."""
    for each in family(process):
        with suppress(psutil.NoSuchProcess):
            each.kill()


def family(process: Any) -> list[Any]:
    return [process, *process.children(recursive=True)]


def memory(process: Any) -> float:
    return float(sum(each.memory_info().rss for each in family(process))) / MEGABYTE


def peak_memory(process: Any) -> float:
    """Return the highest resident memory that each process had, summed."""
    return sum(_status(each.pid, "VmHWM") for each in family(process)) * 1024 / MEGABYTE


def cpu_seconds(process: Any) -> float:
    times = [each.cpu_times() for each in family(process)]
    return float(sum(each.user + each.system for each in times))


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def to_text(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a Markdown table."""
    head = "| attack | MB before | MB at peak | CPU s | slowest, s | answered, failed | connections left |"
    lines = [
        f"| {each.attack} | {each.megabytes_before:.0f} | {each.megabytes_at_peak:.0f} | {each.cpu_seconds:.2f} "
        f"| {each.slowest_seconds:.2f} | {each.answered}, {each.failed} | {each.connections_left} |"
        for each in outcomes
    ]
    return "\n".join([head, "|---|---:|---:|---:|---:|---:|---:|", *lines])


def main(arguments: list[str]) -> int:
    """Run the attacks, print the table, and return 1 if a bar is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks attacks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="run the attacks whose name contains this")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long connections stay [%(default)s]")
    parser.add_argument("--megabytes", type=float, default=128.0, help="bar for memory at its peak [%(default)s]")
    parser.add_argument("--wait", type=float, default=2.0, help="bar for the other client, in seconds [%(default)s]")
    parser.add_argument("--command", default=COMMAND, help="the server's command, with {port} [%(default)s]")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        champion, row = model_in(Path(folder))
        outcomes = [
            asyncio.run(
                attacked(name, attack, champion=champion, row=row, seconds=asked.seconds, command=asked.command)
            )
            for name, attack in attacks().items()
            if asked.only in name
        ]
    print(json.dumps([asdict(each) for each in outcomes], indent=2) if asked.json else to_text(outcomes))
    missed = [
        each
        for each in outcomes
        if each.megabytes_at_peak > asked.megabytes or each.slowest_seconds > asked.wait or each.failed
    ]
    return 1 if missed else 0


def model_in(folder: Path) -> tuple[Path, Row]:
    """Return the boosting model of the serving benchmark, compiled, and a row of it."""
    from benchmarks.serving_rivals.models import drawn  # noqa: PLC0415 - fits a model: the suite brings its own

    prepared = drawn(folder)
    return prepared.compiled, prepared.rows(switches=True)[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
