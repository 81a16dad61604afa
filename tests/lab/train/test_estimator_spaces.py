"""Default search spaces contain the defaults and can be built; other spaces are validated first."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from lab.core.errors import ParamsError
from lab.model_files.specification import Specification
from lab.search.space import CLASS_WEIGHTS, Dimension, Range, Space
from lab.train.estimator_spaces import check_space, space_of, with_fewer_trees, with_point
from lab.train.estimators import ESTIMATORS, with_defaults

WHERE = "params.yaml: train.candidates.mine.search.space"
GRIDS = {
    "ada_boost": 9,
    "decision_tree": 12,
    "dummy": 1,
    "extra_trees": 27,
    "gradient_boosting": 9,
    "histogram_gradient_boosting": 12,
    "logistic_regression": 12,
    "multilayer_perceptron": 12,
    "naive_bayes": 5,
    "nearest_neighbours": 10,
    "random_forest": 27,
    "stacking": 3,
    "support_vector_machine": 12,
    "voting": 1,
}


def parsed(space: dict[str, Any]) -> Space:
    return TypeAdapter(dict[str, Dimension]).validate_python(space)


def check(estimator: str, space: dict[str, Any]) -> None:
    check_space(Specification(estimator=estimator), parsed(space), where=WHERE)


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_a_default_space_has_a_grid_of_known_size(name: str) -> None:
    combinations = 1
    for dimension in space_of(Specification(estimator=name), where=WHERE).values():
        combinations *= dimension.points if isinstance(dimension, Range) else len(dimension)
    assert combinations == GRIDS[name]


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_a_default_space_can_be_searched(name: str) -> None:
    specification = Specification(estimator=name)
    check_space(specification, space_of(specification, where=WHERE), where=WHERE)


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_the_defaults_are_inside_their_space(name: str) -> None:
    specification = with_defaults(Specification(estimator=name), where=WHERE)
    for setting, dimension in space_of(specification, where=WHERE).items():
        default: Any = "none" if setting == CLASS_WEIGHTS else specification.settings[setting]
        inside = dimension.low <= default <= dimension.high if isinstance(dimension, Range) else default in dimension
        assert inside, (setting, default)


@pytest.mark.parametrize(("trees", "fitted"), [(400, 100), (60, 20), (10, 10)])
def test_a_search_fits_a_quarter_of_the_trees_of_a_forest_and_at_least_twenty(trees: int, fitted: int) -> None:
    forest = with_defaults(Specification(estimator="random_forest", settings={"trees": trees}), where="here")
    assert with_fewer_trees(forest, {}, where="here").settings == {**forest.settings, "trees": fitted}


def test_a_search_over_the_number_of_trees_uses_that_number() -> None:
    forest = with_defaults(Specification(estimator="random_forest"), where="here")
    assert with_fewer_trees(forest, {"trees": [50, 100]}, where="here") == forest


def test_a_search_of_boosting_fits_all_trees() -> None:
    boosting = with_defaults(Specification(estimator="histogram_gradient_boosting"), where="here")
    assert with_fewer_trees(boosting, {}, where="here") == boosting


def test_class_weights_of_a_point_are_not_settings() -> None:
    before = Specification(estimator="logistic_regression", settings={"inverse_penalty": 3.0, "most_steps": 50})
    after = with_point(before, {"inverse_penalty": 0.5, CLASS_WEIGHTS: "balanced"})
    assert after.settings == {"inverse_penalty": 0.5, "most_steps": 50}
    assert after.class_weights == "balanced"
    assert before.settings["inverse_penalty"] == 3.0
    assert with_point(after, {"most_steps": 9}).class_weights == "balanced"


@pytest.mark.parametrize(
    ("estimator", "space", "message"),
    [
        ("random_forest", {"tress": [1]}, r"space\.tress: unknown parameter .*\n.*'trees'.*Correct it there"),
        ("dummy", {CLASS_WEIGHTS: ["heavy"]}, r"space\.class_weights: expected none or balanced \(found 'heavy'\)"),
        ("nearest_neighbours", {CLASS_WEIGHTS: ["none"]}, r"space\.class_weights: unknown parameter"),
        ("random_forest", {"trees": [10, 0]}, r"space\.trees: .*greater than or equal to 1 \(found 0\)"),
        ("random_forest", {"trees": {"low": 0, "high": 10}}, r"space\.trees: .*\(found 0\)"),
        ("random_forest", {"trees": {"low": 1.0, "high": 9.5}}, r"space\.trees: .*valid integer.*\(found 9\.5\)"),
        ("random_forest", {"feature_share": {"low": 0.5, "high": 2.0}}, r"space\.feature_share: .*\(found 2\.0\)"),
        ("random_forest", {"trees": []}, r"space\.trees: no value, expected at least one"),
    ],
)
def test_an_invalid_space_is_refused(estimator: str, space: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        check(estimator, space)


def test_every_mistake_of_a_space_is_listed() -> None:
    with pytest.raises(ParamsError, match=r"(?s)space\.tress: .*space\.smallest_leaf: "):
        check("random_forest", {"tress": [1], "trees": [5], "smallest_leaf": [0]})
