"""The fast path answers as the router does, and only for its own paths."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from serving.app import FAST_PATHS, create_application
from serving.fast_path import FastPath
from serving.settings import Settings
from tests.serving.served import ROWS, model_folder


class WrongError(ValueError):
    """An error with a handler."""


class WorseError(WrongError):
    """A subclass of it."""


async def answer(request: Request) -> Response:
    asked = (await request.body()).decode()
    if asked:
        raise {"wrong": WrongError, "worse": WorseError, "other": KeyError}[asked](asked)
    return PlainTextResponse("fast")


async def handle(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"error: {error}", 422)


async def route(_request: Request) -> Response:
    return PlainTextResponse("router")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    layer = Middleware(FastPath, endpoints={"/fast": answer}, error_handlers={WrongError: handle})
    routes = [Route("/fast", route, methods=["GET", "POST"]), Route("/other", route, methods=["POST"])]
    with TestClient(Starlette(routes=routes, middleware=[layer]), raise_server_exceptions=False) as asking:
        yield asking


def test_only_a_post_to_a_fast_path_skips_the_router(client: TestClient) -> None:
    assert client.post("/fast").text == "fast"
    assert [client.get("/fast").text, client.post("/other").text] == ["router", "router"]
    assert client.post("/fast/more").status_code == 404


@pytest.mark.parametrize("error", ["wrong", "worse"])
def test_an_error_with_a_handler_is_answered(client: TestClient, error: str) -> None:
    answered = client.post("/fast", content=error)
    assert (answered.status_code, answered.text) == (422, f"error: {error}")


def test_any_other_error_is_answered_with_500(client: TestClient) -> None:
    assert client.post("/fast", content="other").status_code == 500


def test_every_fast_path_is_documented_and_allows_only_post(tmp_path: Path) -> None:
    application = create_application(Settings(champion=model_folder(tmp_path / "champion")))
    with TestClient(application) as asking:
        documented = asking.get("/openapi.json").json()["paths"]
        assert all(set(documented[path]) == {"post"} for path in FAST_PATHS)
        assert {asking.get(path).status_code for path in FAST_PATHS} == {405}
        assert asking.post("/predict", json={"features": ROWS[0]}).status_code == 200
