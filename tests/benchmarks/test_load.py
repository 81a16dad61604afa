"""The load test sends requests on time, shows queueing, and refuses other machines."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

import pytest

from benchmarks.load.__main__ import main, parser_of_arguments
from benchmarks.load.arrivals import poisson_arrivals
from benchmarks.load.bodies import bodies, rows_of_log, rows_of_openapi
from benchmarks.load.client import Target, load
from benchmarks.load.outcomes import Outcome, quantile, summary
from tests.project import ROOT
from tests.serving.served import ROWS, model_folder
from tests.serving.server import served

pytestmark = pytest.mark.slow

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("load")
    with served(folder, champion=str(model_folder(folder / "champion"))) as address:
        yield address


def test_gaps_between_requests_are_as_poisson_has_them() -> None:
    moments = poisson_arrivals(rate=50, seconds=400, seed=3)
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert len(moments) == pytest.approx(20_000, rel=0.03)
    assert pstdev(gaps) == pytest.approx(mean(gaps), rel=0.03)


def test_the_same_seed_asks_at_the_same_moments() -> None:
    assert poisson_arrivals(rate=5, seconds=9, seed=1) == poisson_arrivals(rate=5, seconds=9, seed=1)
    assert poisson_arrivals(rate=5, seconds=9, seed=1) != poisson_arrivals(rate=5, seconds=9, seed=2)


def test_a_server_is_asked_by_its_own_openapi_and_every_answer_counts(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([server, "--rate", "20", "--seconds", "2", "--warm-up", "0.2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["answers"] == {"200": found["requests"]}
    assert list(found["latency"]) == ["p50", "p90", "p99", "p99.9", "max"]


def test_batches_are_asked_by_columns_with_rows_of_a_log(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "rows.jsonl"
    log.write_text("".join(json.dumps({"id": "x", "features": row}) + "\n" for row in ROWS))
    assert main([server, "--rate", "10", "--seconds", "1", "--rows", "7", "--log", str(log)]) == 0
    assert " 200 " in capsys.readouterr().out


def test_a_row_that_the_server_refuses_fails_the_run(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "rows.jsonl"
    log.write_text('{"features": {"unknown": 1}}\n')
    assert main([server, "--rate", "10", "--seconds", "1", "--log", str(log), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["answers"] == {"422": found["failed"]}
    assert found["latency"] == {}


@pytest.mark.parametrize("address", ["http://192.0.2.1:8000", "http://example.invalid", "http://localhost.invalid"])
def test_another_machine_is_not_put_under_load_by_accident(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([address])
    assert "--elsewhere" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["http://127.0.0.1:9", "--seconds", "1"])
    assert "Is the server running?" in capsys.readouterr().err


@asynccontextmanager
async def slow_server(seconds: float) -> AsyncIterator[str]:
    """Yield the address of a server that answers one request at a time."""
    turn, writers = asyncio.Lock(), []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length:")[1].split()[0]))
                async with turn:
                    await asyncio.sleep(seconds)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    opened = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{opened.sockets[0].getsockname()[1]}"
    opened.close()
    for writer in writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


def asked_of_slow(*, connections: int, wait: float = 30) -> list[Outcome]:
    async def ask() -> list[Outcome]:
        async with slow_server(0.02) as address:
            target = Target(address, "/", {}, connections, wait)
            return await load(target, poisson_arrivals(rate=100, seconds=1, seed=1), bodies(ROWS))

    return asyncio.run(ask())


@pytest.mark.parametrize("connections", [1, 200])
def test_a_queue_shows_in_latency_with_one_connection_or_many(connections: int) -> None:
    # Twice as many as it can answer: the last has to wait for about half of all, 20 milliseconds each.
    found = asked_of_slow(connections=connections)
    waits = [outcome.done - outcome.due for outcome in found]
    assert quantile(waits, 0.99) > 0.02 * len(found) / 4


def test_an_answer_that_does_not_come_in_time_is_a_failure_and_no_latency() -> None:
    found = summary(asked_of_slow(connections=200, wait=0.2), seconds=1)
    assert found["answers"]["no answer in time"] == found["failed"] > 0
    assert found["latency"]["max"] <= 400


def test_a_server_that_hangs_up_is_a_failure() -> None:
    async def ask() -> list[Outcome]:
        opened = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        target = Target(f"http://127.0.0.1:{opened.sockets[0].getsockname()[1]}", "/", {}, 4, 5)
        try:
            return await load(target, [0.0, 0.01], bodies(ROWS))
        finally:
            opened.close()

    assert not any(outcome.answered for outcome in asyncio.run(ask()))


@pytest.mark.parametrize("place", ["example", "examples", "named"])
def test_an_example_of_the_openapi_is_what_is_asked_and_rows_like_it(place: str) -> None:
    row = {"features": {"amount": 8.0, "member": True, "place": "north", "visits": None}}
    said: dict[str, dict[str, Any]] = {
        "example": {"example": row},
        "examples": {"schema": {"examples": [row]}},
        "named": {"examples": {"usual": {"value": row}}},
    }
    content = {"schema": {}, **said[place]}
    openapi = {"paths": {"/predict": {"post": {"requestBody": {"content": {"application/json": content}}}}}}
    first, *others = rows_of_openapi(openapi, count=3, seed=0)
    assert first == row["features"]
    assert all({**other, "amount": 8.0} == first and 4 <= other["amount"] <= 12 for other in others)
    assert len({other["amount"] for other in others}) == 2


def test_bodies_take_turns_through_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n{"a": 3}\n')
    rows = rows_of_log(path)
    assert [json.loads(body)["features"]["a"] for body in islice(bodies(rows), 4)] == [1, 2, 3, 1]
    assert [json.loads(body)["columns"]["a"] for body in islice(bodies(rows, rows_each=2), 2)] == [[1, 2], [3, 1]]


def examples_of_docs() -> list[str]:
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "benchmarks/load/__main__.py"]
    found = [re.findall(r"python -m benchmarks\.load((?: +(?:--)?[\w./:-]+)+)", page.read_text()) for page in pages]
    return [example.strip() for examples in found for example in examples]


def test_there_are_examples() -> None:
    assert len(examples_of_docs()) >= 5


@pytest.mark.parametrize("example", examples_of_docs())
def test_every_example_that_is_written_down_can_be_asked(example: str) -> None:
    assert parser_of_arguments().parse_args(example.split()).rate > 0


def test_people_may_ask_with_locust(server: str) -> None:
    if find_spec("locust") is None:  # to import it here would exchange this process's own sockets
        pytest.skip("locust is not installed: pip install locust")
    command = [
        sys.executable,
        "-m",
        "locust",
        "--locustfile",
        "benchmarks/load/locustfile.py",
        "--headless",
        "--host",
        server,
    ]
    settings = ["--users", "4", "--spawn-rate", "4", "--run-time", "3s", "--only-summary"]
    done = subprocess.run([*command, *settings], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "/predict" in done.stdout + done.stderr
