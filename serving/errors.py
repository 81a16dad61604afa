"""Error responses of the API: one format with field, value and rule."""

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

LONGEST_TEXT = 100


class Detail(BaseModel):
    """One mistake in a request."""

    field: str = Field(description="Where in the request, such as features.amount.")
    value: str = Field(description="The JSON found there, cut to 100 characters.")
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


def wrong_field(reason: str, detail: Detail) -> Refused:
    """Return the refusal of a body by its first wrong field."""
    short = Detail(field=_short(detail.field), value=_short(detail.value), rule=_short(detail.rule))
    error = f"The request breaks a rule: {short.field or 'the body'}: {short.rule}."
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, reason, Problem(error=error, details=[short]))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
