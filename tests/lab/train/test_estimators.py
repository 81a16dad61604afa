"""Estimators by name: unknown names are refused, and every setting reaches scikit-learn."""

from typing import Any

import pytest
from sklearn.base import BaseEstimator

from lab.core.errors import ParamsError
from lab.model_files.specification import Specification
from lab.train.estimators import ESTIMATORS, build_estimator, with_defaults

WHERE = "params.yaml: train.candidates.mine"
ENSEMBLES = ("stacking", "voting")
PAIR = {"one": {"estimator": "dummy"}, "two": {"estimator": "logistic_regression"}}


def specification(estimator: str, settings: dict[str, Any] | None = None, **more: Any) -> Specification:
    return Specification.model_validate({"estimator": estimator, "settings": settings or {}, **more})


def build(estimator: str, **settings: object) -> BaseEstimator:
    built: BaseEstimator = build_estimator(specification(estimator, settings), seed=7, where=WHERE)
    return built


def test_an_unknown_estimator_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParamsError, match=r"mine\.estimator is 'forrest', expected one of .*'random_forest'"):
        build("forrest")


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParamsError, match=r"settings\.C: unknown setting \(found 2\)\n.*inverse_penalty \(1\.0\)"):
        build("logistic_regression", C=2)


def test_every_wrong_value_is_listed() -> None:
    with pytest.raises(
        ParamsError, match=r"(?s)settings\.trees: .*\(found 0\).*settings\.learning_rate: .*\(found 'x'\)"
    ):
        build("histogram_gradient_boosting", trees=0, learning_rate="x")


@pytest.mark.parametrize(
    ("estimator", "settings"),
    [
        ("ada_boost", {"deepest": 0}),
        ("decision_tree", {"deepest": 0}),
        ("extra_trees", {"feature_share": 0}),
        ("gradient_boosting", {"row_share": 1.5}),
        ("logistic_regression", {"inverse_penalty": 0}),
        ("multilayer_perceptron", {"neurons": []}),
        ("multilayer_perceptron", {"epochs": 0}),
        ("naive_bayes", {"smoothing": 0}),
        ("nearest_neighbours", {"weights": "nearness"}),
        ("random_forest", {"feature_share": "half"}),
        ("stacking", {"inner_folds": 1}),
        ("support_vector_machine", {"kernel_coefficient": -1.0}),
    ],
)
def test_an_invalid_value_is_refused_with_its_name(estimator: str, settings: dict[str, Any]) -> None:
    (name,) = settings
    with pytest.raises(ParamsError, match=rf"^{WHERE}\.settings\.{name}: .* \(found "):
        with_defaults(specification(estimator, settings), where=WHERE)


def threads(estimator: BaseEstimator) -> set[Any]:
    return {value for name, value in estimator.get_params().items() if name.rpartition("__")[2] == "n_jobs"}


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_the_defaults_build_an_estimator_without_own_threads(name: str) -> None:
    assert threads(build(name)) <= {None}


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - set(ENSEMBLES)))
def test_every_setting_reaches_scikit_learn_under_its_name(name: str) -> None:
    known = build(name).get_params()
    for setting, field in ESTIMATORS[name].settings.model_fields.items():
        assert field.serialization_alias in known, setting
        assert known[field.serialization_alias] == field.default


def test_the_settings_of_ensembles_reach_scikit_learn() -> None:
    stacking = build("stacking", inverse_penalty=0.25, inner_folds=4)
    assert stacking.get_params()["final_estimator__C"] == 0.25
    assert stacking.get_params()["cv"].get_n_splits() == 4
    assert build("voting", members=PAIR, weights={"two": 2.0, "one": 1.0}).get_params()["weights"] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("estimator", "settings", "known"),
    [
        ("logistic_regression", {"inverse_penalty": 0.25}, ("C", 0.25)),
        ("ada_boost", {"deepest": 3}, ("estimator__max_depth", 3)),
        ("support_vector_machine", {"kernel_coefficient": 0.5}, ("estimator__gamma", 0.5)),
        ("multilayer_perceptron", {"neurons": [8, 4]}, ("hidden_layer_sizes", [8, 4])),
    ],
)
def test_a_setting_changes_the_estimator(estimator: str, settings: dict[str, Any], known: tuple[str, Any]) -> None:
    assert build(estimator, **settings).get_params()[known[0]] == known[1]


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_randomness_comes_from_the_seed(name: str) -> None:
    parameters = build(name).get_params()
    drawn = {parameters.get("random_state"), getattr(parameters.get("cv"), "random_state", None)}
    takes_chance = "random_state" in parameters or parameters.get("cv") is not None
    exact = {"dummy", "logistic_regression"}  # they could draw, but have nothing to draw for
    assert (7 in drawn) == (takes_chance and name not in exact)


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_writing_out_defaults_is_idempotent(name: str) -> None:
    found = with_defaults(specification(name), where=WHERE)
    assert set(found.settings) == set(ESTIMATORS[name].settings.model_fields)
    assert with_defaults(found, where=WHERE) == found


def test_every_setting_is_written_out() -> None:
    found = with_defaults(specification("random_forest", {"trees": 9}), where=WHERE)
    assert found.settings == {"trees": 9, "deepest": None, "smallest_leaf": 5, "feature_share": "sqrt"}


def test_settings_of_an_ensembles_members_are_written_out() -> None:
    members = {**PAIR, "two": {"estimator": "logistic_regression", "settings": {"inverse_penalty": 2}}}
    found = with_defaults(specification("voting", {"members": members}), where=WHERE).settings["members"]
    assert isinstance(found, dict)
    assert found["two"]["settings"] == {"inverse_penalty": 2.0, "most_steps": 100}
    assert found["two"]["preparation"]["one_hot_up_to"] == 20
    assert found["one"]["features"] is None


@pytest.mark.parametrize("name", ENSEMBLES)
def test_an_ensembles_default_members_are_known_ones(name: str) -> None:
    members = with_defaults(specification(name), where=WHERE).settings["members"]
    assert isinstance(members, dict)
    assert [member["estimator"] for member in members.values()] == [
        "histogram_gradient_boosting",
        "random_forest",
        "logistic_regression",
    ]


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ({"estimator": "forrest"}, r"members\.two\.estimator is 'forrest', expected one of"),
        ({"estimator": "dummy", "settings": {"trees": 3}}, r"members\.two\.settings\.trees: unknown setting"),
        ({"settings": {}}, r"members\.two\.estimator: Field required"),
        ({"estimator": "dummy", "class_weights": "balanced"}, r"members\.two\.class_weights: unknown setting"),
        ({"estimator": "voting"}, r"members\.two\.estimator is 'voting', expected no ensemble inside an ensemble"),
    ],
)
@pytest.mark.parametrize("name", ENSEMBLES)
def test_a_members_mistake_is_shown_with_its_place(name: str, member: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamsError, match=rf"^{WHERE}\.settings\.{message}"):
        with_defaults(specification(name, {"members": {**PAIR, "two": member}}), where=WHERE)


def test_weights_name_every_member() -> None:
    with pytest.raises(ParamsError, match=r"weights name \['one'\], expected the members \['one', 'two'\]"):
        with_defaults(specification("voting", {"members": PAIR, "weights": {"one": 1.0}}), where=WHERE)


def test_an_ensemble_has_two_members_at_least() -> None:
    with pytest.raises(ParamsError, match=r"settings\.members: Dictionary should have at least 2 items"):
        with_defaults(specification("voting", {"members": {"one": PAIR["one"]}}), where=WHERE)


def test_a_members_name_is_valid_in_scikit_learn() -> None:
    with pytest.raises(ParamsError, match=r"settings\.members\.one__two"):
        with_defaults(specification("voting", {"members": {**PAIR, "one__two": PAIR["one"]}}), where=WHERE)


def test_an_ensemble_has_no_own_preprocessing() -> None:
    with pytest.raises(ParamsError, match=r"mine\.preparation is given, expected none: each member"):
        with_defaults(specification("voting", preparation={"polynomial_degree": 2}), where=WHERE)


def test_balanced_rows_are_refused_without_support_for_weights() -> None:
    with pytest.raises(
        ParamsError, match=r"mine\.class_weights is 'balanced', expected none: nearest_neighbours cannot"
    ):
        with_defaults(specification("nearest_neighbours", class_weights="balanced"), where=WHERE)
