"""Explain a score: SHAP values by feature, and the strongest reasons as text."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, Field

from lab.compiled.wording import Reason
from lab.reasons.reasons import Reasoner
from serving.answers import columns_for
from serving.arms import Arms
from serving.errors import refused
from serving.models import LoadedModel
from serving.requests import RowToExplain

NO_REASONS = (
    "This model was packed without reasons. Cure: `python -m ops pack` of a revision in which the stage explain has "
    "run; its output says why reasons are left out."
)


class FeatureReason(BaseModel):
    """The contribution of one feature to the score."""

    feature: str
    value: float | bool | str | None = Field(description="The value in the request.")
    contribution: float = Field(description="The SHAP value; above zero it raises the score.")
    text: str = Field(description="The reason in plain language.")


class Explanation(BaseModel):
    """The explanation of a score: base and contributions add up to the output."""

    arm: str = Field(description="The arm of the unit; its model is explained.")
    fingerprint: str = Field(description="The fingerprint of that model.")
    score: float = Field(ge=0, le=1, description="As POST /predict gives it.")
    positive: bool = Field(description="Whether the score reaches the model's threshold.")
    measured_in: Literal["log_odds", "probability"] = Field(description="The scale of base, output and contributions.")
    base: float = Field(description="The output of the model when nothing is known of a row.")
    output: float = Field(description="The score on that scale, before rounding.")
    contributions: dict[str, float] = Field(description="The SHAP value of each feature.")
    reasons: list[FeatureReason] = Field(description="The strongest first; features with contribution 0 are left out.")


def explain_row(arms: Arms, asked: RowToExplain) -> dict[str, Any]:
    """Return the explanation of one row by the model of its unit's arm."""
    (unit,) = asked.rows.units
    return explained(arms, arms.arm_of(unit), asked.rows.columns, most=asked.most)


def explained(arms: Arms, arm: str, row: Mapping[str, Sequence[Any]], *, most: int) -> dict[str, Any]:
    """Return the explanation of one row, given as columns, by the model of an arm."""
    model = arms.model_of(arm)
    columns = columns_for(arms.features, row)
    reasoner = _reasoner(model)
    (found,) = reasoner.explain(columns, most=most)
    (score,) = model.compiled.scores(columns).tolist()
    return {
        "arm": arm,
        "fingerprint": model.fingerprint,
        "score": score,
        "positive": score >= model.threshold,
        "measured_in": reasoner.attribution.unit,
        "base": found.base,
        "output": found.output,
        "contributions": found.contributions,
        "reasons": [_reason(reason, row[reason.feature][0]) for reason in found.reasons],
    }


def _reason(reason: Reason, value: Any) -> dict[str, Any]:
    """Return a reason with the value of the request: true stays true, where the model sees 1."""
    return {
        "feature": reason.feature,
        "value": value,
        "contribution": reason.contribution,
        "text": reason.text,
    }


def _reasoner(model: LoadedModel) -> Reasoner:
    if model.reasoner is None:
        raise refused(HTTPStatus.CONFLICT, "no_reasons", NO_REASONS)
    return model.reasoner
