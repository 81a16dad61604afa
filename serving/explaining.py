"""Why a row has its score: what each feature adds, and the weightiest reasons in the words of the task."""

from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, Field

from lab.compiled.wording import Reason
from lab.reasons.reasons import Reasoner
from serving.answers import columns_for, rows_of_one
from serving.arms import Lineup
from serving.errors import refused
from serving.models import Served

LACKING = (
    "The model that answers was packed without reasons. Cure: `python -m ops pack` of a revision in which the stage "
    "explain has run; it says why where it leaves them out."
)


class Moved(BaseModel):
    """One feature's part in the score."""

    feature: str
    value: float | bool | str | None = Field(description="As it was asked.")
    contribution: float = Field(description="Measured as the model adds; above zero it raises the score.")
    text: str = Field(description="The reason in plain language.")


class Explanation(BaseModel):
    """Why a row has its score: base and contributions add up to the output."""

    arm: str = Field(description="Which model is explained: the one that answers for this unit.")
    fingerprint: str = Field(description="Of that model.")
    score: float = Field(ge=0, le=1, description="As POST /predict gives it.")
    positive: bool = Field(description="Whether the score reaches the model's threshold.")
    measured_in: Literal["log_odds", "probability"] = Field(description="Base, output and contributions.")
    base: float = Field(description="What the model says where nothing is known of a row.")
    output: float = Field(description="The score measured so, before it is rounded.")
    contributions: dict[str, float] = Field(description="What each feature adds to the base: its SHAP value.")
    reasons: list[Moved] = Field(description="The weightiest, the first first; what moves nothing is no reason.")


def explained(lineup: Lineup, asked: Any) -> dict[str, Any]:
    """Return the explanation of one checked row by the model that would answer for it."""
    arm = lineup.arm_of(asked.unit)
    served = lineup.of(arm)
    columns = columns_for(lineup.features, rows_of_one(asked).columns)
    (found,) = _reasoner(served).explained(columns, most=asked.most)
    (score,) = served.compiled.scores(columns).tolist()
    return {
        "arm": arm,
        "fingerprint": served.fingerprint,
        "score": score,
        "positive": score >= served.threshold,
        "measured_in": _reasoner(served).additions.unit,
        "base": found.base,
        "output": found.output,
        "contributions": found.contributions,
        "reasons": [_moved(reason, getattr(asked.features, reason.feature)) for reason in found.reasons],
    }


def _moved(reason: Reason, value: Any) -> dict[str, Any]:
    """Return a reason with its value as it was asked: true stays true, which a model takes for a 1."""
    return {
        "feature": reason.feature,
        "value": value,
        "contribution": reason.contribution,
        "text": reason.text,
    }


def _reasoner(served: Served) -> Reasoner:
    if served.reasoner is None:
        raise refused(HTTPStatus.CONFLICT, "no_reasons", LACKING)
    return served.reasoner
