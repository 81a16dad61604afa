"""The HTTP API: health, model, predictions, explanations, feedback; OpenAPI with the task's columns."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from lab.core.errors import SourceError
from serving.answers import Scored, score_arms
from serving.arms import CHALLENGER, CHAMPION, Arms
from serving.errors import Problem, Refused, refused
from serving.examples import examples_of
from serving.explaining import Explanation, explain_row
from serving.fast_path import Endpoint, FastPath, Handler
from serving.identifiers import Identifiers, identifier_key, kept_key
from serving.label_index import LabelIndex
from serving.labels import (
    FeedbackAccepted,
    FeedbackBatchAccepted,
    Labels,
    take_labels,
)
from serving.limits import Limits
from serving.loading import Served, load_arms, reload_arms
from serving.log import Log, LogError, rules_of
from serving.log_records import prediction_lines
from serving.metrics import Metrics, ModelLabels, RequestCounter, seconds_of
from serving.models import LoadedModel, describe
from serving.refusals import rows_in
from serving.requests import read_feedback, read_feedback_batch, schema_of
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

    id: str = Field(description="Identifies this prediction; feedback refers to it.")
    arm: str = Field(description="The model that answered: champion or challenger.")
    score: float = Field(ge=0, le=1, description="The probability of the positive class, to 6 decimals.")
    positive: bool = Field(description="Whether the score reaches the model's threshold.")
    fingerprint: str = Field(description="The fingerprint of the model that answered.")


class Answers(BaseModel):
    """The scores of a batch, in the order of its rows."""

    ids: list[str]
    arms: list[str]
    scores: list[float]
    positive: list[bool]
    fingerprints: dict[str, str] = Field(description="The fingerprints of the models that answered, by arm.")


Asked = TypeVar("Asked")
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
NO_SENDER = "default"
JSON = "application/json"
BATCHES_AT_ONCE = 2  # in threads; more take memory, and are not faster


@dataclass(frozen=True)
class Logs:
    predictions: Log
    feedback: Log


def create_application(settings: Settings | None = None) -> FastAPI:
    """Return the ASGI application, for `uvicorn --factory serving.app:create_application`."""
    settings = settings or Settings()
    application = FastAPI(
        title="Tabular lab", lifespan=_lifespan, docs_url="/docs", redoc_url=None, telemetry=NO_TELEMETRY
    )
    application.state.settings = settings
    application.state.arms, application.state.logs, application.state.labels = None, None, None
    application.state.batches = asyncio.Semaphore(BATCHES_AT_ONCE)
    application.state.metrics = Metrics(settings.gauges)
    application.add_middleware(FastPath, endpoints=FAST_PATHS, error_handlers=ERROR_HANDLERS)
    application.add_middleware(Limits, settings=settings)
    application.add_middleware(RequestCounter, metrics=application.state.metrics)  # added last: the outermost
    for kind, handler in ERROR_HANDLERS.items():
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
        responses={**PROBLEMS, 409: {"model": Problem, "description": "The model has no reasons."}},
    )
    problems = {**PROBLEMS, 409: {"model": Problem, "description": "The server has no log."}}
    unknown = {**problems, 404: {"model": Problem, "description": "No prediction has this id."}}
    for path, endpoint, accepted, responses in (
        ("/feedback", feedback, FeedbackAccepted, unknown),
        ("/feedback/batch", feedback_batch, FeedbackBatchAccepted, problems),
    ):
        application.add_api_route(
            path, endpoint, methods=["POST"], status_code=202, response_model=accepted, responses=responses
        )
    application.openapi = lambda: _openapi(application)  # type: ignore[method-assign]  # FastAPI documents this way
    return application


@contextlib.asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    state, settings = application.state, application.state.settings
    served = load_arms(settings)
    _use(application, served)
    state.identifiers, rules = Identifiers(identifier_key(settings)), rules_of(settings)
    state.logs = (
        Logs(*(Log(settings.log, kind, rules) for kind in ("predictions", "feedback"))) if settings.log else None
    )
    if state.logs is not None:
        state.metrics.expect_labels(settings.feedback_keys or [NO_SENDER])
        state.labels = Labels(state.identifiers, LabelIndex(settings.log), state.logs.feedback, state.metrics)
    watcher = asyncio.create_task(_watch(application, served))
    yield
    watcher.cancel()
    if state.logs is not None:
        await asyncio.to_thread(state.logs.predictions.close)
        await asyncio.to_thread(state.logs.feedback.close)
        state.labels.index.close()


async def _watch(application: FastAPI, served: Served) -> None:
    """Load a new model when its folder changes; running requests finish with the old one."""
    while True:
        await asyncio.sleep(application.state.settings.seconds_between_looks)
        try:
            _update_gauges(application)
            await asyncio.to_thread(kept_key, application.state.settings, application.state.identifiers.key)
            found = await asyncio.to_thread(reload_arms, served)
            if found is not served:
                served = found
                _use(application, served)
        except Exception:
            LOG.exception("cannot check the model folders, trying again")  # without this the task would end


def _use(application: FastAPI, served: Served) -> None:
    state = application.state
    if served.arms is not state.arms:
        state.arms, application.openapi_schema = served.arms, None
        state.metrics.set_models(_labels_by_arm(served.arms))
    state.refused_models = served.refused
    state.metrics.set_refused_models({arm: arm in served.refused for arm in served.states})


def _labels_by_arm(arms: Arms) -> dict[str, ModelLabels]:
    models = {CHAMPION: arms.champion, CHALLENGER: arms.challenger}
    return {arm: _labels_of(model) for arm, model in models.items() if model is not None}


def _labels_of(model: LoadedModel) -> ModelLabels:
    return ModelLabels(model.fingerprint, model.about.version or "", seconds_of(model.training["last_moment"]))


def _update_gauges(application: FastAPI) -> None:
    application.state.metrics.set_memory()
    for name, log in _logs(application).items():
        counts = log.counts
        application.state.metrics.set_log(
            name, waiting=counts.waiting, lag=log.lag(), failing=bool(log.failing),
            written=counts.lines, failed=counts.failed, repaired=log.repaired, lost=log.lost,
        )  # fmt: skip


def _logs(application: FastAPI) -> dict[str, Log]:
    return {} if application.state.logs is None else dict(vars(application.state.logs))


async def _answer_refused(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Refused)
    request.state.refused = problem.reason
    return problem.response()


async def _answer_too_large(request: Request, problem: Exception) -> Response:
    """Answer 422: each number is in range, but a product of features is too large for the model."""
    return await _answer_refused(request, refused(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong_value", str(problem)))


async def health() -> dict[str, str]:
    """Report that the process is alive."""
    return {"status": "alive"}


async def ready(request: Request) -> Response:
    """Report that a verified model is loaded and that the logs can be written."""
    fingerprint, logs = _arms(request).champion.fingerprint, _logs(request.app)
    failing = {name: log.failing for name, log in logs.items() if log.failing}
    status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
    answer = {"status": "the log fails" if failing else "ready", "fingerprint": fingerprint, "failing_logs": failing}
    return JSONResponse({**answer, "refused_models": request.app.state.refused_models}, status)


async def model(request: Request) -> dict[str, Any]:
    """Describe champion and challenger."""
    arms = _arms(request)
    challenger = describe(arms.challenger) if arms.challenger is not None else None
    return {CHAMPION: describe(arms.champion), CHALLENGER: challenger}


async def metrics(request: Request) -> Response:
    """Return the metrics in the format of Prometheus."""
    _update_gauges(request.app)
    return PlainTextResponse(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def predict(request: Request) -> Response:
    """Score one row."""
    arms = _arms(request)
    rows = await _read(request, arms.request_types.read_row)
    scored = score_arms(arms, rows)
    (identifier,), arm = request.app.state.identifiers.issue(scored.positive), scored.arms[0]
    await _log(request, prediction_lines([identifier], rows=rows, scored=scored, arms=arms))
    request.app.state.metrics.count_rows(scored.arms, scored.scores, scored.positive)
    answer = {"id": identifier, "arm": arm, "score": scored.scores[0], "positive": scored.positive[0]}
    return Response(msgspec.json.encode({**answer, "fingerprint": arms.model_of(arm).fingerprint}), media_type=JSON)


async def predict_batch(request: Request) -> Response:
    """Score many rows, sent as rows or as columns; columns are parsed faster."""
    arms, body = _arms(request), await _json_body(request)
    async with request.app.state.batches:
        try:
            lines, scored, answer = await asyncio.to_thread(_answer_batch, arms, body, request.app.state.identifiers)
        except Refused:
            request.state.refused_rows = rows_in(body)
            raise
    await _log(request, lines)
    request.app.state.metrics.count_rows(scored.arms, scored.scores, scored.positive)
    return Response(answer, media_type=JSON)


def _answer_batch(arms: Arms, body: bytes, issuer: Identifiers) -> tuple[list[bytes], Scored, bytes]:
    rows = arms.request_types.read_batch(body)
    scored = score_arms(arms, rows)
    identifiers = issuer.issue(scored.positive)
    lines = list(prediction_lines(identifiers, rows=rows, scored=scored, arms=arms)) if arms.settings.log else []
    answer = {"ids": identifiers, "arms": scored.arms, "scores": scored.scores, "positive": scored.positive}
    fingerprints = {arm: arms.model_of(arm).fingerprint for arm in sorted(set(scored.arms))}
    return lines, scored, msgspec.json.encode({**answer, "fingerprints": fingerprints})


async def explain(request: Request) -> Response:
    """Explain the score of one row; explanations are not logged."""
    arms = _arms(request)
    asked = await _read(request, arms.request_types.read_row_to_explain)
    return JSONResponse(await asyncio.to_thread(explain_row, arms, asked))


async def feedback(request: Request) -> Response:
    """Write the true label of an earlier prediction to the log."""
    known = await _read(request, read_feedback)
    taken = await take_labels(_labels(request), [known.id], [known.label], sender=_sender(request))
    if taken.unknown:
        raise refused(HTTPStatus.NOT_FOUND, "unknown_id", "No prediction of this server has this id.")
    return JSONResponse({"id": known.id, "contradicting": bool(taken.contradicting)}, HTTPStatus.ACCEPTED)


async def feedback_batch(request: Request) -> Response:
    """Write the true labels of many earlier predictions to the log."""
    batch = await _read(request, read_feedback_batch)
    taken = await take_labels(_labels(request), batch.ids, batch.labels, sender=_sender(request))
    return JSONResponse(taken.model_dump(), HTTPStatus.ACCEPTED)


def _labels(request: Request) -> Labels:
    found: Labels | None = request.app.state.labels
    if found is None:
        raise refused(HTTPStatus.CONFLICT, "no_log", "This server has no log: set LAB_LOG to a folder.")
    return found


def _sender(request: Request) -> str:
    """Return the name of the key that was sent."""
    return getattr(request.state, "sender", NO_SENDER)


async def _log(request: Request, lines: Iterable[bytes]) -> None:
    logs: Logs | None = request.app.state.logs
    if logs is not None:
        await _append(logs.predictions, list(lines))


async def _append(log: Log, lines: list[bytes]) -> None:
    """Append lines to a log; a request whose line cannot be written fails."""
    try:
        await log.append(lines)
    except LogError as error:  # the log's thread reports it
        raise refused(HTTPStatus.SERVICE_UNAVAILABLE, "log", "The prediction could not be logged.") from error


async def _json_body(request: Request) -> bytes:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != JSON:
        raise refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type", "The body must be application/json.")
    return await request.body()


async def _read(request: Request, reader: Callable[[bytes], Asked]) -> Asked:
    """Return what a reader finds in the body of one row."""
    body = await _json_body(request)
    try:
        return reader(body)
    except Refused:
        request.state.refused_rows = rows_in(body)
        raise


def _arms(request: Request) -> Arms:
    found: Arms | None = request.app.state.arms
    if found is None:
        raise refused(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", "No model is ready.")
    return found


def _openapi(application: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI schema with the features of the current models."""
    if application.openapi_schema is None:
        schema = get_openapi(title=application.title, version="1", routes=application.routes)
        arms: Arms | None = application.state.arms
        if arms is not None:
            examples = examples_of(arms)
            for path, kind in arms.request_types.documented.items():
                body, others = schema_of(kind)
                schema["components"]["schemas"] |= others
                content = {JSON: {"schema": body, **_example(examples, path)}}
                schema["paths"][path]["post"]["requestBody"] = {"required": True, "content": content}
        application.openapi_schema = schema
    return application.openapi_schema


def _example(examples: Mapping[str, Any], path: str) -> dict[str, Any]:
    return {"example": examples[path]} if path in examples else {}


FAST_PATHS: Mapping[str, Endpoint] = {
    "/predict": predict,
    "/predict/batch": predict_batch,
    "/feedback": feedback,
    "/feedback/batch": feedback_batch,
}
ERROR_HANDLERS: Mapping[type[Exception], Handler] = {Refused: _answer_refused, SourceError: _answer_too_large}
