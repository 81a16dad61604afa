"""Training: what is chosen is chosen on rows that a model was not fitted on, and equal rows make an equal model."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score

from lab.canonical import canonical_bytes
from lab.errors import ParamsError
from lab.folds import make_folds
from lab.specification import Specification
from lab.task.money import Money
from lab.threshold import ThresholdRule
from lab.training import FoldScore, Rules, Trained, progress_of, summary_of, train_model
from tests.tables import feature_rows, schema_of

RULES = Rules(5, ThresholdRule(rule="best_f1"), Money(), seed=11)
ROWS = feature_rows(np.random.default_rng(1), 900)


def train(
    estimator: str = "logistic_regression",
    *,
    rows: pa.Table = ROWS,
    kind: str = "time",
    rules: Rules = RULES,
    **more: Any,
) -> Trained:
    specification = Specification.model_validate({"estimator": estimator, **more})
    return train_model(rows, schema_of(kind), specification, rules=rules, where="here", report=lambda _: None)


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def test_a_model_learns_what_there_is_to_learn() -> None:
    assert 0.76 < train().metrics["roc_auc"] < 0.86
    assert 0.45 < train("dummy").metrics["roc_auc"] < 0.55


@pytest.mark.parametrize("kind", ["time", "group", "stratified"])
def test_out_of_fold_rows_are_those_of_the_validation_parts(kind: str) -> None:
    rows = feature_rows(np.random.default_rng(1), 300, folds=kind)
    trained = train(rows=rows, kind=kind)
    folds = make_folds(rows, schema_of(kind), count=5, seed=RULES.seed)
    expected = rows.take(pa.array(np.sort(np.concatenate([fold.validation for fold in folds]))))
    keys = [name for name in trained.out_of_fold.column_names if name not in {"fold", "score"}]
    assert trained.out_of_fold.select(keys).equals(expected.select(keys))
    counts = trained.out_of_fold["fold"].to_numpy()
    assert [int((counts == number).sum()) for number in range(1, 6)] == [len(fold.validation) for fold in folds]


def test_metrics_are_scikit_learns_on_the_out_of_fold_scores() -> None:
    trained = train()
    labels, scores = trained.out_of_fold["label"].to_numpy(), trained.out_of_fold["score"].to_numpy()
    assert trained.metrics["roc_auc"] == pytest.approx(roc_auc_score(labels, scores))
    assert trained.metrics["average_precision"] == pytest.approx(average_precision_score(labels, scores))
    assert trained.metrics["brier"] == pytest.approx(brier_score_loss(labels, scores))
    decided = np.greater_equal(scores, trained.model.threshold)
    assert trained.metrics["f1"] == pytest.approx(f1_score(labels, decided))


def test_the_threshold_is_chosen_on_out_of_fold_scores() -> None:
    trained = train()
    labels, scores = trained.out_of_fold["label"].to_numpy(), trained.out_of_fold["score"].to_numpy()
    best = max(f1_score(labels, np.greater_equal(scores, score)) for score in np.unique(scores))
    assert trained.metrics["f1"] == pytest.approx(best)


def test_scores_have_six_decimals() -> None:
    scores = train().out_of_fold["score"].to_numpy()
    assert (scores.round(6) == scores).all()


def test_shuffled_labels_teach_nothing() -> None:
    shuffled = np.random.default_rng(4).permutation(ROWS["label"].to_numpy())
    for estimator in ("logistic_regression", "histogram_gradient_boosting"):
        assert abs(train(estimator, rows=with_column(ROWS, "label", shuffled)).metrics["roc_auc"] - 0.5) < 0.07


def test_a_level_of_its_own_for_every_row_teaches_nothing() -> None:
    """Target encoding that saw a row's own label would score every training row right."""
    rows = with_column(ROWS, "product", [f"row {place}" for place in range(ROWS.num_rows)])
    assert abs(train(rows=rows).metrics["roc_auc"] - train(rows=ROWS).metrics["roc_auc"]) < 0.03


def test_what_comes_after_a_folds_training_rows_does_not_move_its_scores() -> None:
    """Labels of the newest moment are turned over: only a fold that trains on them could notice, and none does."""
    newest = pc.equal(ROWS["moment"], pc.max(ROWS["moment"])).to_numpy()
    labels = ROWS["label"].to_numpy()
    turned = with_column(ROWS, "label", np.where(newest, 1 - labels, labels).astype(np.int8))
    assert train(rows=turned).out_of_fold["score"].equals(train().out_of_fold["score"])


def test_equal_specifications_are_equal_models() -> None:
    spelled_out = train(settings={"inverse_penalty": 1.0, "most_steps": 100})
    assert canonical_bytes(spelled_out.model.pipeline) == canonical_bytes(train().model.pipeline)
    assert spelled_out.model.manifest == train().model.manifest


def test_the_fingerprint_is_that_of_the_rows_however_they_lie_in_memory() -> None:
    once = train().model.manifest.training.fingerprint
    in_pieces = pa.concat_tables([ROWS.slice(0, 100), ROWS.slice(100)])
    assert train(rows=in_pieces).model.manifest.training.fingerprint == once
    other = with_column(ROWS, "noise", np.zeros(ROWS.num_rows))
    assert train(rows=other).model.manifest.training.fingerprint != once


def test_chosen_features_are_all_that_a_model_sees() -> None:
    manifest = train(features=["visits", "amount"]).model.manifest
    assert list(manifest.inputs.features) == ["amount", "visits"]
    assert manifest.specification.features == ("visits", "amount")


def test_an_unknown_feature_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParamsError, match=r"here\.features names \['height'\], expected only \['amount', "):
        train(features=["height"])


def test_a_fit_that_comes_to_no_end_is_refused() -> None:
    with pytest.raises(ParamsError, match="here: logistic_regression came to no end"):
        train(settings={"most_steps": 1})


def test_linear_parameters_have_eight_decimals() -> None:
    estimate = train().model.pipeline[-1]
    for values in (estimate.coef_, estimate.intercept_):
        assert (values.round(8) == values).all()


def test_folds_are_reported_as_they_end() -> None:
    seen: list[FoldScore] = []
    specification = Specification(estimator="dummy")
    train_model(ROWS, schema_of("time"), specification, rules=RULES, where="here", report=seen.append)
    assert [fold.number for fold in seen] == [1, 2, 3, 4, 5]
    assert progress_of("mine", seen[0]).startswith("mine  fold 1/5  roc_auc 0.5000  average_precision 0.")


def test_the_summary_says_which_folds_and_why() -> None:
    rows = with_column(ROWS, "noise", [np.inf, *([1.0] * (ROWS.num_rows - 1))])
    summary = summary_of(train(rows=rows), schema_of("time"), rows)
    reason = "the future is predicted from the past"
    assert summary["folds"] == {"kind": "time", "count": 5, "embargo_days": 60, "reason": reason}
    assert summary["unusable_numbers"] == {"noise": 1}
