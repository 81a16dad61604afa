"""A fitted pipeline has rounded parameters and only what prediction needs."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler, TargetEncoder

from lab.core.schema import Feature
from lab.model_files.specification import Specification
from lab.train.fitting import Plan, fit_pipeline
from lab.train.tidying import parts_of
from tests.fitted import VARIANTS, fitted

CATEGORY = {"product": Feature(kind="category")}


def decimals(values: Any) -> bool:
    return bool((np.round(values, 8) == values).all())


def parts(variant: str, kind: type[Any]) -> list[Any]:
    return [part for part in parts_of(fitted(variant)) if isinstance(part, kind)]


@pytest.mark.parametrize("variant", ["logistic_regression", "logistic_regression, kept_by_anova", "stacking", "voting"])
def test_linear_parameters_have_eight_decimals_at_any_depth(variant: str) -> None:
    found = parts(variant, LogisticRegression)
    assert len(found) == (2 if variant == "stacking" else 1)
    assert all(decimals(part.coef_) and decimals(part.intercept_) for part in found)


@pytest.mark.parametrize("variant", ["support_vector_machine", "stacking", "voting", "multilayer_perceptron"])
def test_scales_have_eight_digits_at_any_depth(variant: str) -> None:
    found = parts(variant, StandardScaler)
    assert found
    assert all(float(f"{scale:.7e}") == scale for part in found for scale in part.scale_)


def test_the_sigmoid_of_margins_has_eight_decimals() -> None:
    (line,) = fitted("support_vector_machine")[-1].calibrated_classifiers_
    assert all(decimals([sigmoid.a_, sigmoid.b_]) for sigmoid in line.calibrators)


def test_other_weights_are_rounded() -> None:
    perceptron, bayes = fitted("multilayer_perceptron")[-1], fitted("naive_bayes")[-1]
    assert all(decimals(values) for values in (*perceptron.coefs_, *perceptron.intercepts_, bayes.theta_))


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_attributes_that_prediction_does_not_need_are_removed(variant: str) -> None:
    names = {name for part in parts_of(fitted(variant)) for name in getattr(part, "__dict__", {})}
    assert not names & {"_optimizer", "_random_state", "named_estimators_"}


def encoded(products: list[str | None], labels: list[int]) -> TargetEncoder:
    frame = pd.DataFrame({"product": pd.Series(products, dtype=object)})
    specification = Specification.model_validate({"estimator": "dummy", "preparation": {"one_hot_up_to": 1}})
    pipeline = fit_pipeline(Plan(specification, CATEGORY, 1, "here"), frame, np.array(labels, dtype=np.int8))
    encoder: TargetEncoder = pipeline["prepare"].named_transformers_["many_levels"]
    return encoder


def test_a_level_with_one_row_is_treated_as_unseen() -> None:
    encoder = encoded(["a", "a", "b", "c", "c", None, None, "d"], [0, 1, 1, 0, 0, 1, 1, 0])
    assert encoder.categories_[0].tolist() == ["a", "c", None]
    frame = pd.DataFrame({"product": pd.Series(["b", "never", "c", None], dtype=object)})
    once, never, twice, missing = encoder.transform(frame).ravel()
    assert once == never == 0.5
    assert twice == pytest.approx((0 + 10 * 0.5) / 12)
    assert missing == pytest.approx((2 + 10 * 0.5) / 12)


def test_when_every_level_has_one_row_all_are_treated_as_unseen() -> None:
    encoder = encoded([f"row {place}" for place in range(8)], [0, 1] * 4)
    frame = pd.DataFrame({"product": ["row 0", "row 5", "never"]}, dtype=object)
    assert encoder.transform(frame).ravel().tolist() == [0.5, 0.5, 0.5]
    assert len(encoder.categories_[0]) == 1
