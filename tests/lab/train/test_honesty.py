"""Choices on training rows do not leak: without a signal the test window shows none."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lab.evaluate.measurement import measure_models, window_of
from lab.model_files.specification import Specification
from lab.models.scoring import score_rows
from lab.search.rule import SearchRule
from lab.stats.models.bootstrap import Estimate
from lab.task.money import Money
from lab.train.threshold import ThresholdRule
from lab.train.training import Rules, train_model
from tests.tables import feature_rows, schema_of

MONEY = Money(benefit_of_true_positive=2500, cost_of_false_positive=800)
TRAIN = feature_rows(np.random.default_rng(1), 900)
TEST = feature_rows(np.random.default_rng(2), 1200, part="test")
GREEDY: dict[str, Any] = {
    "calibration": "best",
    "preparation": {"keep": {"by": "anova", "count": 10}},
}


def reported(train: pa.Table, test: pa.Table, *, noise: int = 0, **specification: Any) -> Estimate:
    """Return the AUC on the test window, with its interval, of a model on whose training everything was chosen."""
    rules = Rules(4, ThresholdRule(rule="best_f1"), MONEY, 11, SearchRule(method="random", budget=32))
    schema = schema_of("time")
    if noise:
        features = {**schema.features, **dict.fromkeys(names(noise), schema.features["noise"])}
        schema = schema.model_copy(update={"features": features})
    model = train_model(train, schema, Specification.model_validate(specification), rules=rules, where="here").model
    scores = pa.array(score_rows(model, test))
    predictions = pa.table({"label": test["label"], "champion_score": scores, "challenger_score": scores})
    window = window_of(
        predictions, thresholds=dict.fromkeys(("champion", "challenger"), model.threshold), groups=(), units=None
    )
    return measure_models(window, money=MONEY, resamples=500, rng=np.random.default_rng(3))["challenger"]["roc_auc"]


def names(count: int) -> list[str]:
    return [f"noise_{number:03d}" for number in range(count)]


def with_noise(table: pa.Table, count: int, *, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    for name in names(count):
        table = table.append_column(name, pa.array(rng.normal(size=table.num_rows).round(9)))
    return table


def shuffled(table: pa.Table, *, seed: int) -> pa.Table:
    labels = np.random.default_rng(seed).permutation(table["label"].to_numpy())
    return table.set_column(table.column_names.index("label"), "label", pa.array(labels))


@pytest.mark.parametrize(
    ("estimator", "settings"), [("logistic_regression", {}), ("histogram_gradient_boosting", {"trees": 30})]
)
def test_on_shuffled_labels_the_reported_area_is_one_half_within_its_interval(
    estimator: str, settings: dict[str, Any]
) -> None:
    train, test = (with_noise(rows, 100, seed=seed) for seed, rows in ((5, shuffled(TRAIN, seed=4)), (6, TEST)))
    found = reported(train, test, noise=100, estimator=estimator, settings=settings, **GREEDY)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 0.5 <= found.high  # all three are 0.5 where calibration found scores to say nothing


def test_two_hundred_columns_of_noise_are_no_gain() -> None:
    plain = reported(TRAIN, TEST, estimator="logistic_regression", **GREEDY)
    noisy = reported(
        with_noise(TRAIN, 200, seed=5),
        with_noise(TEST, 200, seed=6),
        noise=200,
        estimator="logistic_regression",
        **GREEDY,
    )
    assert plain.value is not None
    assert plain.low is not None
    assert noisy.value is not None
    assert plain.low > 0.7  # there is something to learn
    assert noisy.value <= plain.value
