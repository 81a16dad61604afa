"""The API: health, readiness, the model, predictions of one row or many, reasons; its OpenAPI is this task's own."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from lab.core.errors import SourceError
from serving.answers import rows_of_batch, rows_of_one, scored
from serving.arms import CHALLENGER, CHAMPION, Lineup, read_lineup, renewed
from serving.errors import Problem, Refused, invalid, refused
from serving.examples import examples_of
from serving.explaining import Explanation, explained
from serving.fast_path import Direct, Endpoint, Handler
from serving.limits import Limits
from serving.log import Log, LogError, rules_of
from serving.log_records import feedback_line, identifiers_of, new_identifier, prediction_lines
from serving.metrics import Counted, Metrics, Named, seconds_of
from serving.models import Served, described
from serving.refusals import rows_in
from serving.requests import STRICT
from serving.settings import Settings

LOG = logging.getLogger("serving")
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is not JSON."},
    401: {"model": Problem, "description": "The API key is missing or wrong."},
    408: {"model": Problem, "description": "The body took too long to arrive."},
    413: {"model": Problem, "description": "The body is too large."},
    415: {"model": Problem, "description": "The body is not application/json."},
    422: {"model": Problem, "description": "A field is missing, unknown, or breaks its rule."},
    429: {"model": Problem, "description": "Too many requests."},
    503: {"model": Problem, "description": "No model is ready."},
}


class Answer(BaseModel):
    """The score of one row."""

    id: str = Field(description="Names this prediction, for its label to come.")
    arm: str = Field(description="Which model answered: champion or challenger.")
    score: float = Field(ge=0, le=1, description="The probability of the positive class, to 6 decimals.")
    positive: bool = Field(description="Whether the score reaches the model's threshold.")
    fingerprint: str = Field(description="Of the model that answered.")


class Answers(BaseModel):
    """The scores of a batch, in the order in which its rows came."""

    ids: list[str]
    arms: list[str]
    scores: list[float]
    positive: list[bool]
    fingerprints: dict[str, str] = Field(description="Of the models that answered, by arm.")


class Feedback(BaseModel):
    """What came true of a row."""

    model_config = STRICT

    id: str = Field(min_length=1, max_length=80, description="The prediction's, as it was answered.")
    label: bool


class Taken(BaseModel):
    """The label is in the log."""

    id: str


UNWATCHED: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
FEEDBACK: TypeAdapter[Feedback] = TypeAdapter(Feedback)


@dataclass(frozen=True)
class Logs:
    """The two logs of a process."""

    predictions: Log
    feedback: Log


def create_application(settings: Settings | None = None) -> FastAPI:
    """Return the API; `uvicorn --factory serving.app:create_application` serves it."""
    settings = settings or Settings()
    application = FastAPI(
        title="Tabular lab", lifespan=_lifespan, docs_url="/docs", redoc_url=None, telemetry=UNWATCHED
    )
    application.state.settings = settings
    application.state.lineup, application.state.logs = None, None
    application.state.metrics = Metrics(settings.gauges)
    application.add_middleware(Direct, endpoints=DIRECT, mistakes=MISTAKES)
    application.add_middleware(Limits, settings=settings)
    application.add_middleware(Counted, metrics=application.state.metrics)  # the last one added is the outermost
    for kind, handler in MISTAKES.items():
        application.add_exception_handler(kind, handler)
    application.add_api_route("/health", health, tags=["state"])
    application.add_api_route("/ready", ready, tags=["state"], responses={503: PROBLEMS[503]})
    application.add_api_route("/metrics", metrics, tags=["state"], response_class=PlainTextResponse)
    application.add_api_route("/model", model, tags=["state"], responses={503: PROBLEMS[503]})
    for path, endpoint, answer in (("/predict", predict, Answer), ("/predict/batch", predict_batch, Answers)):
        application.add_api_route(path, endpoint, methods=["POST"], response_model=answer, responses=PROBLEMS)
    application.add_api_route(
        "/explain",
        explain,
        methods=["POST"],
        response_model=Explanation,
        responses={**PROBLEMS, 409: {"model": Problem, "description": "The model was packed without reasons."}},
    )
    application.add_api_route(
        "/feedback",
        feedback,
        methods=["POST"],
        status_code=202,
        response_model=Taken,
        responses={**PROBLEMS, 409: {"model": Problem, "description": "This server keeps no log."}},
    )
    application.openapi = lambda: _openapi(application)  # type: ignore[method-assign]  # FastAPI's own way to change it
    return application


@contextlib.asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    state, settings = application.state, application.state.settings
    state.lineup = read_lineup(settings)
    state.metrics.say_models(_named(state.lineup))
    rules = rules_of(settings)
    state.logs = (
        Logs(*(Log(settings.log, kind, rules) for kind in ("predictions", "feedback"))) if settings.log else None
    )
    watching = asyncio.create_task(_watch(application))
    yield
    watching.cancel()
    if state.logs is not None:
        await asyncio.to_thread(state.logs.predictions.close)
        await asyncio.to_thread(state.logs.feedback.close)


async def _watch(application: FastAPI) -> None:
    """Exchange the models when their folders hold others; requests that are under way end with the old ones."""
    while True:
        await asyncio.sleep(application.state.settings.seconds_between_looks)
        _say_state(application)
        found = await asyncio.to_thread(renewed, application.state.lineup)
        if found is not application.state.lineup:
            application.state.lineup, application.openapi_schema = found, None
            application.state.metrics.say_models(_named(found))


def _named(lineup: Lineup) -> dict[str, Named]:
    models = {CHAMPION: lineup.champion, CHALLENGER: lineup.challenger}
    return {arm: _name_of(served) for arm, served in models.items() if served is not None}


def _name_of(served: Served) -> Named:
    return Named(served.fingerprint, served.about.version or "", seconds_of(served.training["last_moment"]))


def _say_state(application: FastAPI) -> None:
    application.state.metrics.say_memory()
    logs: Logs | None = application.state.logs
    for name, log in (("predictions", logs.predictions), ("feedback", logs.feedback)) if logs is not None else ():
        counts = log.counts
        application.state.metrics.say_log(
            name, waiting=counts.waiting, lag=log.lag(),
            written=counts.lines, failed=counts.failed, repaired=counts.repaired,
        )  # fmt: skip


async def _answer_refused(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Refused)
    request.state.refused = problem.reason
    return problem.response()


async def _answer_too_large(request: Request, problem: Exception) -> Response:
    """Answer a row whose numbers are fine, and whose products of numbers the model cannot take."""
    return await _answer_refused(request, refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong_value", str(problem)))


async def health() -> dict[str, str]:
    """Say that the process is alive."""
    return {"status": "alive"}


async def ready(request: Request) -> dict[str, str]:
    """Say that a model is loaded, its fingerprint verified."""
    return {"status": "ready", "fingerprint": _lineup(request).champion.fingerprint}


async def model(request: Request) -> dict[str, Any]:
    """Describe the models that answer."""
    lineup = _lineup(request)
    challenger = described(lineup.challenger) if lineup.challenger is not None else None
    return {CHAMPION: described(lineup.champion), CHALLENGER: challenger}


async def metrics(request: Request) -> Response:
    """Give the numbers that Prometheus collects."""
    _say_state(request.app)
    return PlainTextResponse(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def predict(request: Request) -> Response:
    """Score one row."""
    lineup = _lineup(request)
    rows = rows_of_one(await _asked(request, lineup.asked.one))
    found = scored(lineup, rows)
    identifier, arm = new_identifier(), found.arms[0]
    await _logged(request, prediction_lines([identifier], rows=rows, found=found, lineup=lineup))
    request.app.state.metrics.count_rows(found.arms, found.scores, found.positive)
    answer = {"id": identifier, "arm": arm, "score": found.scores[0], "positive": found.positive[0]}
    return JSONResponse({**answer, "fingerprint": lineup.of(arm).fingerprint})


async def predict_batch(request: Request) -> Response:
    """Score many rows, given one by one or, which is read faster, by columns."""
    lineup = _lineup(request)
    batch = await _asked(request, lineup.asked.many)
    identifiers, lines, answers = await asyncio.to_thread(_answered, lineup, batch)
    await _logged(request, lines)
    request.app.state.metrics.count_rows(answers["arms"], answers["scores"], answers["positive"])
    return JSONResponse({"ids": identifiers, **answers})


def _answered(lineup: Lineup, batch: Any) -> tuple[list[str], list[bytes], dict[str, Any]]:
    rows = rows_of_batch(batch)
    found = scored(lineup, rows)
    identifiers = identifiers_of(new_identifier(), len(found.arms))
    lines = list(prediction_lines(identifiers, rows=rows, found=found, lineup=lineup)) if lineup.settings.log else []
    fingerprints = {arm: lineup.of(arm).fingerprint for arm in sorted(set(found.arms))}
    answers = {"arms": found.arms, "scores": found.scores, "positive": found.positive, "fingerprints": fingerprints}
    return identifiers, lines, answers


async def explain(request: Request) -> Response:
    """Say why one row has its score; it is not logged, for nothing is decided by it."""
    lineup = _lineup(request)
    row = await _asked(request, lineup.asked.why)
    return JSONResponse(await asyncio.to_thread(explained, lineup, row))


async def feedback(request: Request) -> Response:
    """Take the label of a row that was answered before, for the log."""
    known = await _asked(request, FEEDBACK)
    logs: Logs | None = request.app.state.logs
    if logs is None:
        raise refused(HTTPStatus.CONFLICT, "no_log", "This server keeps no log: set LAB_LOG to a folder.")
    await _promised(logs.feedback, [feedback_line(known.id, known.label)])
    return JSONResponse({"id": known.id}, HTTPStatus.ACCEPTED)


async def _logged(request: Request, lines: Iterable[bytes]) -> None:
    logs: Logs | None = request.app.state.logs
    if logs is not None:
        await _promised(logs.predictions, list(lines))


async def _promised(log: Log, lines: list[bytes]) -> None:
    """Add lines to a log; an answer whose line cannot be kept is not given."""
    try:
        await log.append(lines)
    except LogError as error:
        LOG.error("the log cannot be written: %s", error)  # noqa: TRY400 - the trace says no more
        raise refused(HTTPStatus.SERVICE_UNAVAILABLE, "log", "The prediction could not be logged.") from None


async def _asked(request: Request, kind: TypeAdapter[Any]) -> Any:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type", "The body must be application/json.")
    try:
        return kind.validate_json(await request.body())
    except ValidationError as error:
        request.state.refused_rows = rows_in(await request.body())
        raise invalid(error) from None


def _lineup(request: Request) -> Lineup:
    found: Lineup | None = request.app.state.lineup
    if found is None:
        raise refused(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", "No model is ready.")
    return found


def _openapi(application: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI with the bodies that the models of now ask for."""
    if application.openapi_schema is None:
        schema = get_openapi(title=application.title, version="1", routes=application.routes)
        lineup: Lineup | None = application.state.lineup
        if lineup is not None:
            asked, examples = lineup.asked, examples_of(lineup)
            bodies = {"/predict": asked.one, "/predict/batch": asked.many, "/explain": asked.why, "/feedback": FEEDBACK}
            for path, kind in bodies.items():
                body = kind.json_schema(ref_template="#/components/schemas/{model}")
                schema["components"]["schemas"] |= body.pop("$defs", {})
                content = {"application/json": {"schema": body, **_example(examples, path)}}
                schema["paths"][path]["post"]["requestBody"] = {"required": True, "content": content}
        application.openapi_schema = schema
    return application.openapi_schema


def _example(examples: Mapping[str, Any], path: str) -> dict[str, Any]:
    return {"example": examples[path]} if path in examples else {}


DIRECT: Mapping[str, Endpoint] = {"/predict": predict, "/predict/batch": predict_batch, "/feedback": feedback}
MISTAKES: Mapping[type[Exception], Handler] = {Refused: _answer_refused, SourceError: _answer_too_large}
