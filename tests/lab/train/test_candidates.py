"""Candidates in params.yaml: common settings and their own."""

from typing import Any

import pytest

from lab.core.errors import ParamsError
from lab.core.params import parse
from lab.search.rule import SearchRule
from lab.train.candidates import Candidate, TrainParams, candidate_named, candidate_of, search_of

COMMON = SearchRule(method="bayesian", budget=40)


def candidate(**said: Any) -> Candidate:
    return candidate_of("mine", {"mine": {"estimator": "dummy", **said}})


def test_a_candidate_has_the_common_search_settings() -> None:
    assert search_of("mine", candidate(), COMMON) == COMMON


def test_a_candidate_overrides_its_own_search_settings() -> None:
    found = search_of("mine", candidate(search={"method": "random", "space": {"trees": [1, 2]}}), COMMON)
    assert (found.method, found.budget, found.space) == ("random", 40, {"trees": [1, 2]})


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"budget": 0}, r"train\.candidates\.mine\.search\.budget: .* greater than or equal to 1 \(found '0'\)"),
        ({"method": "guess"}, r"search\.method: .*'none', 'grid', 'random', 'halving' or 'bayesian' \(found 'guess'\)"),
        ({"space": {"trees": {"low": 9, "high": 2}}}, r"search\.space\.trees.*low must be below high \(2\), found 9"),
        ({"space": {"penalty": {"low": 0, "high": 1, "scale": "log"}}}, "a logarithmic range starts above 0, found 0"),
        ({"space": {}}, r"search\.space: .* at least 1 item"),
        ({"seconds": 60}, r"search\.seconds: Extra inputs are not permitted"),
    ],
)
def test_an_invalid_search_is_refused_with_its_place(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        search_of("mine", candidate(search=said), COMMON)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"calibration": "platt"}, r"mine\.calibration: .*'none', 'sigmoid', 'isotonic' or 'best'"),
        ({"class_weights": 2}, r"mine\.class_weights: .*'none' or 'balanced'"),
        ({"preparation": {"keep": {"by": "luck", "count": 3}}}, r"mine\.preparation\.keep\.by: .*'anova'"),
        ({"preparation": {"interactions_only": True}}, r"mine\.preparation: .* polynomial_degree 1 creates none"),
        ({"colour": "red"}, r"mine\.colour: Extra inputs are not permitted"),
    ],
)
def test_an_invalid_candidate_is_refused_with_its_place(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        candidate(**said)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"folds": 1}, r"train\.folds: .* greater than or equal to 2"),
        ({"learning_curve": [0.5, 1.5]}, r"train\.learning_curve\.1: .* less than or equal to 1"),
        ({"workers": "somewhere"}, r"train\.workers: .*dask://HOST:PORT"),
    ],
)
def test_an_invalid_common_rule_is_refused(said: dict[str, Any], message: str) -> None:
    content = {
        "folds": 5,
        "threshold": {"rule": "fixed"},
        "search": {},
        "learning_curve": [],
        "workers": "local",
        **said,
    }
    with pytest.raises(ParamsError, match=message):
        parse(content, kind=TrainParams, where="params.yaml: train", cure="Correct it there.")


def test_a_name_with_a_capital_is_refused() -> None:
    with pytest.raises(ParamsError, match="names 'Mine', expected lower-case letters"):
        candidate_named(["Mine"], None, {"Mine": {}})


def test_a_name_on_the_command_line_goes_before_the_stage_of_dvc() -> None:
    assert candidate_named(["plain"], "train@other", {"plain": {}, "other": {}}) == "plain"


@pytest.mark.parametrize("stage", [None, "", "select", "train@", "train@nobody", "train@a:train@plain"])
def test_a_stage_of_dvc_that_is_no_candidate_is_refused(stage: str | None) -> None:
    with pytest.raises(ParamsError, match=r"expected one name of params\.yaml: train\.candidates: \['plain'\]"):
        candidate_named([], stage, {"plain": {}})
