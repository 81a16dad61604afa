"""Contributions are Shapley values and add up to the output of the model."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.tree import DecisionTreeClassifier

from lab.core.errors import ModelError
from lab.explain.contributions import Explainer, contributions_of, explainer_of
from lab.explain.origins import origins_of
from lab.models.calibrated import CalibratedScores
from tests.lab.explain.oracles import grown_trees, histogram_trees, shapley, shapley_over_rows, worth_on_trees
from tests.lab.explain.rows import drawn, fitted, imputing, scaling

FRAME, LABELS = drawn()
SOME = FRAME.iloc[[0, 3, 11, 20, 47]].reset_index(drop=True)
NAMES = ("age", "city", "member", "spend")


def explainer(pipeline: Pipeline, *, walks: int = 8, reference: pd.DataFrame = FRAME) -> Explainer:
    return explainer_of(pipeline, reference, walks=walks, rng=np.random.default_rng(5))


def boosting(**more: Any) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=8, max_leaf_nodes=6, min_samples_leaf=8, early_stopping=False, **more
    )


TREES: dict[str, tuple[Callable[[], Any], Any, Callable[[Any], list[dict[str, Any]]]]] = {
    "tree": (imputing, DecisionTreeClassifier(max_depth=4, random_state=0), grown_trees),
    "forest": (
        imputing,
        RandomForestClassifier(5, max_depth=4, random_state=0),
        lambda e: grown_trees(e, scale=1 / 5),
    ),
    "extra trees": (
        imputing,
        ExtraTreesClassifier(5, max_depth=4, random_state=0),
        lambda e: grown_trees(e, scale=1 / 5),
    ),
    "gradient boosting": (
        imputing,
        GradientBoostingClassifier(n_estimators=6, max_depth=3, random_state=0),
        lambda e: grown_trees(e, scale=e.learning_rate, boosted=True),
    ),
    "histogram boosting": (lambda: "passthrough", boosting(), histogram_trees),
}


@pytest.mark.parametrize("name", TREES)
def test_trees_agree_with_every_subset_of_their_columns(name: str) -> None:
    numbers, estimator, trees_of = TREES[name]
    pipeline = fitted(numbers(), estimator)
    origins = origins_of(pipeline[:-1], list(NAMES))
    assert origins is not None
    seen = explainer(pipeline)
    assert seen.method == "tree_path_dependent"
    found, rows = contributions_of(seen, SOME), np.asarray(pipeline[:-1].transform(SOME), dtype=float)
    for row, values in zip(rows, found.values, strict=True):
        columns = shapley(worth_on_trees(trees_of(pipeline[-1]), row), len(origins))
        expected = [columns[[origin == feature for origin in origins]].sum() for feature in NAMES]
        assert values == pytest.approx(expected, abs=2e-6)


def test_a_linear_model_agrees_with_every_subset_of_its_features() -> None:
    pipeline = fitted(scaling(), LogisticRegression())
    found = contributions_of(explainer(pipeline), SOME)
    for place in range(len(SOME)):
        expected = shapley_over_rows(pipeline.decision_function, SOME.iloc[[place]], FRAME)
        assert found.values[place] == pytest.approx(expected, abs=2e-6)
    assert found.base == pytest.approx(pipeline.decision_function(FRAME).mean(), abs=2e-6)


def test_any_other_model_agrees_approximately_with_every_subset_of_its_features() -> None:
    pipeline = fitted(scaling(), GaussianNB())
    seen = explainer(pipeline, walks=200)
    assert (seen.method, seen.unit) == ("permutation", "probability")
    reference = FRAME.iloc[np.sort(np.random.default_rng(5).choice(len(FRAME), 200, replace=False))]
    for place in range(2):
        expected = shapley_over_rows(
            lambda rows: pipeline.predict_proba(rows)[:, 1], SOME.iloc[[place]], reference.reset_index(drop=True)
        )
        assert contributions_of(seen, SOME).values[place] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("pipeline", "unit"),
    [
        (fitted(imputing(), RandomForestClassifier(5, random_state=0)), "probability"),
        (fitted(scaling(), LogisticRegression(), target=True), "log_odds"),
        (fitted("passthrough", boosting(), target=True), "log_odds"),
        (fitted(scaling(), KNeighborsClassifier()), "probability"),
        (fitted(imputing(), AdaBoostClassifier(n_estimators=5, random_state=0)), "probability"),
        (fitted(scaling(), LogisticRegression(), between=SelectKBest(f_classif, k=4)), "log_odds"),
    ],
    ids=["forest", "linear", "boosting", "neighbours", "adaboost", "selected columns"],
)
def test_base_and_contributions_add_up_to_the_models_own_output(pipeline: Pipeline, unit: str) -> None:
    seen = explainer(pipeline)
    assert seen.unit == unit
    found = contributions_of(seen, FRAME)
    sums = found.base + found.values.sum(axis=1)
    probability = sums if unit == "probability" else 1 / (1 + np.exp(-sums))
    assert probability == pytest.approx(pipeline.predict_proba(FRAME)[:, 1], abs=1e-5)


def test_the_explanation_of_a_row_does_not_depend_on_other_rows() -> None:
    for pipeline in (fitted("passthrough", boosting()), fitted(scaling(), GaussianNB())):
        seen = explainer(pipeline)
        whole = contributions_of(seen, FRAME).values
        assert np.array_equal(contributions_of(seen, FRAME.iloc[::-1]).values[::-1], whole)
        assert np.array_equal(contributions_of(seen, FRAME.iloc[[7]]).values[0], whole[7])


def test_an_unused_feature_has_contribution_zero() -> None:
    pipeline = fitted("passthrough", boosting())
    constant = FRAME.assign(spend=1.0)
    plain = Pipeline(pipeline.steps).fit(constant, LABELS)
    assert not contributions_of(explainer(plain, reference=constant), constant).values[:, NAMES.index("spend")].any()


def test_products_of_features_are_explained_by_walks() -> None:
    pipeline = fitted(scaling(), LogisticRegression(), between=PolynomialFeatures(2, include_bias=False))
    assert explainer(pipeline).method == "permutation"


def calibrated(pipeline: Pipeline, **line: Any) -> Pipeline:
    return Pipeline([*pipeline.steps[:-1], ("estimate", CalibratedScores(pipeline[-1], **line))])


def test_sigmoid_calibration_scales_contributions() -> None:
    plain = fitted("passthrough", boosting())
    moved = explainer(calibrated(plain, slope=0.5, intercept=0.2))
    assert moved.method == "tree_path_dependent"
    before, after = contributions_of(explainer(plain), SOME), contributions_of(moved, SOME)
    assert after.values == pytest.approx(before.values / 2, abs=2e-6)
    expected = calibrated(plain, slope=0.5, intercept=0.2).predict_proba(SOME)[:, 1]
    assert 1 / (1 + np.exp(-(after.base + after.values.sum(axis=1)))) == pytest.approx(expected, abs=1e-5)


def test_any_other_calibration_is_explained_by_walks() -> None:
    steps = {"scores": np.array([0.0, 0.5, 1.0]), "shares": np.array([0.1, 0.2, 0.9])}
    assert explainer(calibrated(fitted("passthrough", boosting()), **steps)).method == "permutation"
    forest = fitted(imputing(), RandomForestClassifier(3, random_state=0))
    assert explainer(calibrated(forest, slope=2.0)).method == "permutation"


def test_contributions_that_do_not_add_up_are_refused() -> None:
    seen = explainer(fitted(scaling(), LogisticRegression()))
    with pytest.raises(ModelError, match=r"300 of 300 rows do not add up .* difference is up to 0.5 log_odds"):
        contributions_of(replace(seen, base=seen.base + 0.5), FRAME)


def test_nan_contributions_are_refused() -> None:
    seen = explainer(fitted(scaling(), LogisticRegression()))
    with pytest.raises(ModelError, match="do not add up"):
        contributions_of(replace(seen, base=float("nan")), FRAME)


def test_no_rows_have_no_contributions() -> None:
    found = contributions_of(explainer(fitted(scaling(), LogisticRegression())), FRAME.iloc[:0])
    assert found.values.shape == (0, 4)


def test_a_linear_model_is_explained_without_importing_shap() -> None:
    import subprocess  # noqa: PLC0415 - for this test alone
    import sys  # noqa: PLC0415

    code = (
        "import sys; from tests.lab.explain.test_contributions import *;"
        "contributions_of(explainer(fitted(scaling(), LogisticRegression())), FRAME); assert 'shap' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
