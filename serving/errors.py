"""Error responses of the API: one format with field, value and rule."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from starlette.responses import JSONResponse

MOST_DETAILS = 20
LONGEST_VALUE = 100


class Detail(BaseModel):
    """One mistake in a request."""

    field: str = Field(description="Where in the request, such as features.amount.")
    value: str = Field(description="The value found, cut to 100 characters.")
    rule: str = Field(description="The rule that it breaks.")


class Problem(BaseModel):
    """Why a request was refused."""

    error: str
    details: list[Detail] = []


class Refused(Exception):  # noqa: N818 - the client's mistake, not ours
    """Ends a request with a status and a problem; `reason` is the label in the metrics."""

    def __init__(self, status: HTTPStatus, reason: str, problem: Problem, headers: Mapping[str, str] | None = None):
        super().__init__(problem.error)
        self.status, self.reason, self.problem, self.headers = status, reason, problem, headers

    def response(self) -> JSONResponse:
        """Return the JSON response for the client."""
        return JSONResponse(self.problem.model_dump(), self.status, dict(self.headers or {}))


def refused(status: HTTPStatus, reason: str, error: str, headers: Mapping[str, str] | None = None) -> Refused:
    """Return a refusal without details."""
    return Refused(status, reason, Problem(error=error), headers)


def invalid(error: ValidationError) -> Refused:
    """Return the refusal of an invalid body: 400 when it is not JSON, else 422."""
    mistakes = error.errors(include_url=False, include_context=False)
    if mistakes[0]["type"] == "json_invalid":
        return refused(HTTPStatus.BAD_REQUEST, "not_json", f"The body is not JSON: {mistakes[0]['msg']}.")
    problem = Problem(error=_count(len(mistakes)), details=[_detail(each) for each in mistakes[:MOST_DETAILS]])
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, _reason(mistakes), problem)


def _count(mistakes: int) -> str:
    shown = f"; the first {MOST_DETAILS} are shown" if mistakes > MOST_DETAILS else ""
    return f"Found {mistakes} mistake{'' if mistakes == 1 else 's'} in the request{shown}."


def _detail(mistake: Any) -> Detail:
    found = "nothing" if mistake["type"] == "missing" else _value(mistake["input"])
    return Detail(field=".".join(map(str, mistake["loc"])), value=found, rule=mistake["msg"])


def _value(found: Any) -> str:
    """Return a value as short text; of a container, its type and size."""
    if isinstance(found, Mapping | list | tuple) or hasattr(found, "model_fields"):
        return f"{type(found).__name__} of {len(found)}" if hasattr(found, "__len__") else type(found).__name__
    text = repr(found)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _reason(mistakes: Sequence[Any]) -> str:
    """Return the label of a refusal; there are few, so that the metrics stay small."""
    kinds = {"missing": "missing_field", "extra_forbidden": "unknown_field", "finite_number": "not_finite"}
    return kinds.get(mistakes[0]["type"], "wrong_value")
