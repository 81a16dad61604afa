"""Decide whether a challenger may replace the champion: the rule of `promote`, `retrain` and `report`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, model_validator

from lab.abtest.compare_models import LOWER_IS_BETTER, METRICS
from lab.core.params import Params


class PromoteParams(Params):
    """The metric of the test window, and the smallest gain that a promotion needs."""

    metric: str
    least_gain: float = Field(ge=0)

    @model_validator(mode="after")
    def metric_is_known(self) -> Self:
        if self.metric not in METRICS:
            raise ValueError(f"metric is {self.metric!r}, expected one of {list(METRICS)}")
        return self


@dataclass(frozen=True)
class Promotion:
    """The decision with its reasons; the gain is positive when the challenger is better.

    If the two cannot be compared, gain, low and high are None and the decision is no.
    """

    allowed: bool
    metric: str
    gain: float | None
    low: float | None
    high: float | None
    reasons: tuple[str, ...]


def judge_promotion(validate: Mapping[str, Any], abtest: Mapping[str, Any], rule: PromoteParams) -> Promotion:
    """Return whether the challenger passed its gates and gains enough, with its whole interval above 0.

    Takes the contents of metrics/validate.json and metrics/abtest.json of one revision. A gate within noise is not
    passed: only a person can promote then.
    """
    missed = missed_gates(validate)
    gain, low, high = _gain(abtest, rule.metric)
    reasons = ["; ".join(map(_missed_in_words, missed.items())) if missed else "every gate that decides passed"]
    interval = None not in (gain, low, high)
    enough = gain is not None and gain >= rule.least_gain
    certain = low is not None and low > 0
    if gain is None or low is None or high is None:
        reasons.append(f"{rule.metric} of the two could not be compared")
    else:
        words = "enough" if enough and certain else "not enough" if certain else "not more than chance"
        reasons.append(
            f"{rule.metric} {'better' if gain >= 0 else 'worse'} by {abs(gain):.4f} "
            f"(95 % interval of the gain {low:.4f} to {high:.4f}), "
            f"{rule.least_gain:g} or more is asked for: {words}"
        )
    allowed = not missed and interval and enough and certain
    return Promotion(allowed, rule.metric, gain, low, high, tuple(reasons))


def missed_gates(validate: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the deciding gates that did not pass, by verdict; older files have none within noise."""
    found = {"failed": list(validate["failed"]), "within noise": list(validate.get("within_noise", []))}
    return {verdict: names for verdict, names in found.items() if names}


def _missed_in_words(missed: tuple[str, list[str]]) -> str:
    return f"gates {missed[0]}: {', '.join(missed[1])}"


def _gain(abtest: Mapping[str, Any], metric: str) -> tuple[float | None, float | None, float | None]:
    found = next((each for each in abtest["offline"]["test"] if each["metric"] == metric), None)
    if found is None or found["difference"] is None or found["low"] is None or found["high"] is None:
        return None, None, None
    gain, low, high = (float(found[key]) for key in ("difference", "low", "high"))
    return (-gain, -high, -low) if metric in LOWER_IS_BETTER else (gain, low, high)
