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


def ask(settings: Settings, messages: Sequence[tuple[float, bytes, bool]], *, said: bytes | None = None) -> list[Any]:
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
    scope = {"type": "http", "path": "/predict", "method": "POST", "headers": headers}
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
