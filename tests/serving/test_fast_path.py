"""What is led past the router is answered as the router would, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from serving.app import DIRECT, create_application
from serving.fast_path import Direct
from serving.settings import Settings
from tests.serving.served import ROWS, model_folder


class WrongError(ValueError):
    """A mistake that has an answer."""


class OneOfThemError(WrongError):
    """One of its kind."""


async def answer(request: Request) -> Response:
    asked = (await request.body()).decode()
    if asked:
        raise {"wrong": WrongError, "worse": OneOfThemError, "ours": KeyError}[asked](asked)
    return PlainTextResponse("direct")


async def explain_mistake(_request: Request, mistake: Exception) -> Response:
    return PlainTextResponse(f"mistake: {mistake}", 422)


async def route(_request: Request) -> Response:
    return PlainTextResponse("router")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    layer = Middleware(Direct, endpoints={"/asked": answer}, mistakes={WrongError: explain_mistake})
    routes = [Route("/asked", route, methods=["GET", "POST"]), Route("/other", route, methods=["POST"])]
    with TestClient(Starlette(routes=routes, middleware=[layer]), raise_server_exceptions=False) as asking:
        yield asking


def test_only_a_post_to_a_direct_path_goes_past_the_router(client: TestClient) -> None:
    assert client.post("/asked").text == "direct"
    assert [client.get("/asked").text, client.post("/other").text] == ["router", "router"]
    assert client.post("/asked/more").status_code == 404


@pytest.mark.parametrize("mistake", ["wrong", "worse"])
def test_a_mistake_of_a_named_kind_is_answered(client: TestClient, mistake: str) -> None:
    answered = client.post("/asked", content=mistake)
    assert (answered.status_code, answered.text) == (422, f"mistake: {mistake}")


def test_any_other_mistake_is_ours(client: TestClient) -> None:
    assert client.post("/asked", content="ours").status_code == 500


def test_every_direct_path_is_documented_and_knows_no_other_method(tmp_path: Path) -> None:
    application = create_application(Settings(champion=model_folder(tmp_path / "champion")))
    with TestClient(application) as asking:
        documented = asking.get("/openapi.json").json()["paths"]
        assert all(set(documented[path]) == {"post"} for path in DIRECT)
        assert {asking.get(path).status_code for path in DIRECT} == {405}
        assert asking.post("/predict", json={"features": ROWS[0]}).status_code == 200
