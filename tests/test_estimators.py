"""Estimators by name: what is unknown is refused with what is known, and every setting reaches scikit-learn."""

import pytest
from sklearn.base import BaseEstimator

from lab.errors import ParamsError
from lab.estimators import ESTIMATORS, build_estimator, completed
from lab.specification import Specification

WHERE = "params.yaml: train.candidates.mine"


def build(estimator: str, **settings: object) -> BaseEstimator:
    specification = Specification.model_validate({"estimator": estimator, "settings": settings})
    built: BaseEstimator = build_estimator(specification, seed=7, where=WHERE)
    return built


def test_an_unknown_estimator_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParamsError, match=r"mine\.estimator is 'forrest', expected one of .*'random_forest'"):
        build("forrest")


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParamsError, match=r"settings\.C: unknown setting \(found 2\)\n.*inverse_penalty \(1\.0\)"):
        build("logistic_regression", C=2)


def test_every_wrong_value_is_named_at_once() -> None:
    with pytest.raises(
        ParamsError, match=r"(?s)settings\.trees: .*\(found 0\).*settings\.learning_rate: .*\(found 'x'\)"
    ):
        build("histogram_gradient_boosting", trees=0, learning_rate="x")


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_the_defaults_build_an_estimator_that_leaves_threads_to_the_fit(name: str) -> None:
    assert build(name).get_params().get("n_jobs") is None


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_every_setting_reaches_scikit_learn_under_its_name(name: str) -> None:
    fields = ESTIMATORS[name].settings.model_fields
    known = build(name).get_params()
    for setting, field in fields.items():
        assert field.serialization_alias in known, setting
        assert known[field.serialization_alias] == field.default


def test_a_setting_changes_what_is_built() -> None:
    assert build("logistic_regression", inverse_penalty=0.25).get_params()["C"] == 0.25


@pytest.mark.parametrize("name", sorted(name for name, recipe in ESTIMATORS.items() if recipe.seeded))
def test_chance_comes_from_the_seed(name: str) -> None:
    assert build(name).get_params()["random_state"] == 7


def test_a_completed_specification_spells_every_setting_out() -> None:
    found = completed(Specification(estimator="random_forest", settings={"trees": 9}), where=WHERE)
    assert found.settings == {"trees": 9, "deepest": None, "smallest_leaf": 5, "feature_share": "sqrt"}
    assert completed(found, where=WHERE) == found
