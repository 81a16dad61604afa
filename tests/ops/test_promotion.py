"""The rule of promotion: gates, enough, and more than chance."""

from typing import Any

import pytest

from lab.core.errors import ParamsError
from lab.core.params import parse
from ops.registry.promotion import PromoteParams, judge_promotion

RULE = PromoteParams(metric="roc_auc", least_gain=0.01)


def compared(
    difference: float | None, low: float | None, high: float | None, metric: str = "roc_auc"
) -> dict[str, Any]:
    row = {"metric": metric, "difference": difference, "low": low, "high": high}
    return {"offline": {"test": [{"metric": "accuracy", "difference": 1, "low": 1, "high": 1}, row]}}


def verdict(*failed: str, within_noise: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"passed": not failed, "failed": list(failed), "within_noise": list(within_noise)}


def test_a_challenger_that_is_better_by_enough_is_allowed() -> None:
    found = judge_promotion(verdict(), compared(0.015, 0.008, 0.023), RULE)
    assert found.allowed
    assert (found.gain, found.low, found.high) == (0.015, 0.008, 0.023)


@pytest.mark.parametrize(
    ("difference", "low", "high", "says"),
    [
        (0.009, 0.008, 0.010, "not enough"),
        (0.02, -0.001, 0.05, "not more than chance"),
        (-0.02, -0.03, -0.01, "not more than chance"),
        (None, None, None, "could not be compared"),
        (0.02, None, None, "could not be compared"),
    ],
)
def test_one_that_is_not_better_by_enough_is_refused(
    difference: float | None, low: float | None, high: float | None, says: str
) -> None:
    found = judge_promotion(verdict(), compared(difference, low, high), RULE)
    assert not found.allowed
    assert says in found.reasons[1]


def test_a_failed_gate_refuses_the_best_of_challengers_and_is_named() -> None:
    found = judge_promotion(verdict("accuracy_gap_gender"), compared(0.2, 0.1, 0.3), RULE)
    assert not found.allowed
    assert found.reasons[0] == "gates failed: accuracy_gap_gender"


def test_a_gate_within_noise_refuses_too_and_is_named() -> None:
    found = judge_promotion(verdict("f1", within_noise=("recall",)), compared(0.2, 0.1, 0.3), RULE)
    assert found.reasons[0] == "gates failed: f1; gates within noise: recall"
    assert not judge_promotion(verdict(within_noise=("recall",)), compared(0.2, 0.1, 0.3), RULE).allowed


def test_a_verdict_from_before_the_third_state_is_still_judged() -> None:
    assert judge_promotion({"passed": True, "failed": []}, compared(0.2, 0.1, 0.3), RULE).allowed


def test_of_a_loss_less_is_a_gain() -> None:
    rule = PromoteParams(metric="brier", least_gain=0.01)
    found = judge_promotion(verdict(), compared(-0.02, -0.03, -0.015, "brier"), rule)
    assert found.allowed
    assert (found.gain, found.low, found.high) == (0.02, 0.015, 0.03)


def test_a_metric_that_nobody_measures_is_refused() -> None:
    with pytest.raises(ParamsError, match="expected one of"):
        parse({"metric": "guess", "least_gain": 0.0}, kind=PromoteParams, where="params.yaml: promote", cure="")
