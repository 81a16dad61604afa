"""Requests without key, too many, too large or too slow are refused unread."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from serving.app import create_application
from serving.limits import Limits
from serving.settings import Settings
from tests.serving.served import COLUMNS, ROWS, model_folder

SECRET = "a key of the tests"  # noqa: S105 - it opens nothing


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("served") / "champion")


def ask(
    settings: Settings,
    messages: Sequence[tuple[float, bytes, bool]],
    *,
    path: str = "/predict/batch",
    said: bytes | None = None,
) -> list[Any]:
    """Return what the middleware sends when a body comes in parts, each after some seconds."""
    sent: list[Any] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        sent.append(await receive())

    parts: Iterator[tuple[float, bytes, bool]] = iter(messages)

    async def receive() -> Any:
        wait, body, more = next(parts)
        await asyncio.sleep(wait)
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [] if said is None else [(b"content-length", said)]
    scope = {"type": "http", "path": path, "method": "POST", "headers": headers}
    asyncio.run(Limits(behind, settings)(scope, receive, send))
    return sent


def test_a_key_is_needed_except_for_probes(champion: Path) -> None:
    with TestClient(create_application(Settings(champion=champion, api_key=SecretStr(SECRET)))) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 200
        for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": SECRET + "x"}):
            assert client.get("/model", headers=headers).status_code == 401
        assert client.post("/predict", json={"features": ROWS[0]}, headers={"X-API-Key": SECRET}).status_code == 200


def test_a_key_is_never_shown(champion: Path) -> None:
    settings = Settings(champion=champion, api_key=SecretStr(SECRET))
    assert SECRET not in repr(settings)
    with TestClient(create_application(settings)) as client:
        assert SECRET not in client.get("/model").text + client.get("/openapi.json").text


def test_requests_above_the_rate_are_refused_with_a_retry_header(champion: Path) -> None:
    with TestClient(create_application(Settings(champion=champion, requests_per_second=5))) as client:
        answers = [client.get("/model") for _ in range(8)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert 1 <= len(refused) <= 3
        assert refused[0].headers["Retry-After"] == "1"
        assert client.get("/health").status_code == 200
        time.sleep(0.5)
        assert client.get("/model").status_code == 200


def test_a_body_with_too_large_a_content_length_is_not_read(champion: Path) -> None:
    sent = ask(Settings(champion=champion, most_megabytes=0.001), [], said=b"2000")
    assert sent[0]["status"] == 413


def test_a_body_that_grows_too_large_is_not_read_to_its_end(champion: Path) -> None:
    parts = [(0.0, b"x" * 600, True)] * 2  # a third is not there to be asked for
    assert ask(Settings(champion=champion, most_megabytes=0.001), parts)[0]["status"] == 413


@pytest.mark.parametrize("path", ["/predict", "/explain", "/feedback", "/model", "/surprise"])
def test_only_a_batch_may_be_large(champion: Path, path: str) -> None:
    settings = Settings(champion=champion, most_megabytes=1, most_kilobytes_of_a_row=1)
    assert ask(settings, [], path=path, said=b"2000")[0]["status"] == 413
    assert ask(settings, [(0.0, b"x" * 2000, False)])[0]["type"] == "http.request"


class Client:
    """A client that sends a body part by part."""

    def __init__(self, limits: Limits, path: str = "/predict/batch") -> None:
        self._parts: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        self.sent: list[Any] = []
        scope = {"type": "http", "path": path, "method": "POST", "headers": []}
        self.task = asyncio.ensure_future(limits(scope, self.receive, self.send))

    async def receive(self) -> Any:
        body, more = await self._parts.get()
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def give(self, body: bytes, *, more: bool = True) -> None:
        self._parts.put_nowait((body, more))
        for _ in range(10):  # iterations of the loop
            await asyncio.sleep(0)

    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None


def test_when_bodies_take_too_much_memory_the_largest_unfinished_one_is_refused(champion: Path) -> None:
    processed, release = list[int](), asyncio.Event()

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        processed.append(len((await receive())["body"]))
        await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def play() -> list[int | None]:
        limits = Limits(behind, Settings(champion=champion, most_megabytes=0.001, most_megabytes_at_once=0.001))
        large, other, small = Client(limits), Client(limits), Client(limits, "/predict")
        await large.give(b"x" * 600)
        await other.give(b"x" * 300)
        assert (large.status(), other.status()) == (None, None)
        await small.give(b"x" * 200, more=False)  # more than the rest
        assert (large.status(), other.status(), processed) == (503, None, [200])
        await other.give(b"x" * 450, more=False)
        assert processed == [200, 750]
        another = Client(limits)
        await another.give(b"x" * 100, more=False)  # both others are in progress: nothing else can be refused
        release.set()
        await asyncio.gather(large.task, other.task, small.task, another.task)
        after = Client(limits)
        await after.give(b"x" * 1000, more=False)
        await after.task
        return [client.status() for client in (large, other, small, another, after)]

    assert asyncio.run(play()) == [503, 200, 200, 503, 200]


def test_a_body_that_arrives_too_slowly_is_refused(champion: Path) -> None:
    parts = [(0.0, b"{", True), (5.0, b"}", False)]
    assert ask(Settings(champion=champion, seconds_for_a_body=0.05), parts)[0]["status"] == 408


def test_a_body_in_parts_arrives_whole(champion: Path) -> None:
    parts = [(0.0, b'{"a"', True), (0.01, b":1}", False)]
    assert ask(Settings(champion=champion), parts) == [{"type": "http.request", "body": b'{"a":1}', "more_body": False}]


def test_ten_megabytes_are_refused_by_default(champion: Path) -> None:
    with TestClient(create_application(Settings(champion=champion))) as client:
        answer = client.post("/predict/batch", content=b" " * 10_000_000, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]) == (413, "The body is larger than 8 megabytes.")


def test_requests_rows_refusals_and_models_are_counted(champion: Path, tmp_path: Path) -> None:
    settings = Settings(champion=champion, log=tmp_path, api_key=SecretStr(SECRET))
    with TestClient(create_application(settings)) as client:
        client.get("/model")
        client.headers["X-API-Key"] = SECRET
        client.get("/surprise")
        client.post("/predict", json={"features": ROWS[0]})
        client.post("/predict", json={"features": {}})
        scores = client.post("/predict/batch", json={"columns": COLUMNS}).json()["scores"]
        found = client.get("/metrics")
        fingerprint = client.get("/ready").json()["fingerprint"]
    lines = found.text.splitlines()
    assert found.headers["content-type"].startswith("text/plain")
    assert 'lab_requests_total{path="/predict",status="200"} 1.0' in lines
    assert 'lab_requests_total{path="/predict",status="422"} 1.0' in lines
    assert 'lab_requests_total{path="other",status="404"} 1.0' in lines
    assert 'lab_refused_total{reason="key"} 1.0' in lines
    assert 'lab_refused_total{reason="missing_field"} 1.0' in lines
    assert f'lab_scores_count{{arm="champion"}} {len(scores) + 1:.1f}' in lines
    assert 'lab_request_seconds_count{path="/predict"} 2.0' in lines
    assert f'lab_model{{arm="champion",fingerprint="{fingerprint}",version=""}} 1.0' in lines
    assert 'lab_log_waiting_lines{log="predictions"} 0.0' in lines
