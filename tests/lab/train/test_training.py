"""Training chooses on out-of-fold rows, and equal rows give equal models."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score

from lab.core.errors import ParamsError
from lab.model_files.canonical import canonical_bytes
from lab.model_files.specification import Specification
from lab.models.frames import frame_of
from lab.search.result import Progress
from lab.search.rule import SearchRule
from lab.search.space import Range
from lab.task.money import Money
from lab.train.folds import make_folds
from lab.train.threshold import ThresholdRule
from lab.train.training import FoldScore, Reports, Rules, Trained, progress_of, summary_of, train_model
from lab.train.workers import run_sequentially
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
    return train_model(rows, schema_of(kind), specification, rules=rules, where="here")


@cache
def trained_plainly(*, search: bool = False) -> Trained:
    """Train logistic regression on ROWS once for all tests."""
    return train(rules=SEARCHED if search else RULES)


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def test_a_model_learns_the_signal() -> None:
    assert 0.76 < trained_plainly().metrics["roc_auc"] < 0.86
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
    trained = trained_plainly()
    labels, scores = trained.out_of_fold["label"].to_numpy(), trained.out_of_fold["score"].to_numpy()
    assert trained.metrics["roc_auc"] == pytest.approx(roc_auc_score(labels, scores))
    assert trained.metrics["average_precision"] == pytest.approx(average_precision_score(labels, scores))
    assert trained.metrics["brier"] == pytest.approx(brier_score_loss(labels, scores))
    decided = np.greater_equal(scores, trained.model.threshold)
    assert trained.metrics["f1"] == pytest.approx(f1_score(labels, decided))


def test_the_threshold_is_chosen_on_out_of_fold_scores() -> None:
    trained = trained_plainly()
    labels, scores = trained.out_of_fold["label"].to_numpy(), trained.out_of_fold["score"].to_numpy()
    best = max(f1_score(labels, np.greater_equal(scores, score)) for score in np.unique(scores))
    assert trained.metrics["f1"] == pytest.approx(best)


def test_scores_have_six_decimals() -> None:
    scores = trained_plainly().out_of_fold["score"].to_numpy()
    assert (scores.round(6) == scores).all()


def test_shuffled_labels_give_no_skill() -> None:
    shuffled = np.random.default_rng(4).permutation(ROWS["label"].to_numpy())
    for estimator in ("logistic_regression", "histogram_gradient_boosting"):
        assert abs(train(estimator, rows=with_column(ROWS, "label", shuffled)).metrics["roc_auc"] - 0.5) < 0.07


def test_a_unique_level_for_every_row_gives_no_skill() -> None:
    """Target encoding with a row's own label would score every training row right."""
    rows = with_column(ROWS, "product", [f"row {place}" for place in range(ROWS.num_rows)])
    assert abs(train(rows=rows).metrics["roc_auc"] - trained_plainly().metrics["roc_auc"]) < 0.03


def test_scores_of_a_fold_do_not_depend_on_later_rows() -> None:
    """Labels of the newest moment are inverted: no fold trains on them."""
    newest = pc.equal(ROWS["moment"], pc.max(ROWS["moment"])).to_numpy()
    labels = ROWS["label"].to_numpy()
    turned = with_column(ROWS, "label", np.where(newest, 1 - labels, labels).astype(np.int8))
    assert train(rows=turned).out_of_fold["score"].equals(trained_plainly().out_of_fold["score"])


def test_equal_specifications_are_equal_models() -> None:
    spelled_out = train(settings={"inverse_penalty": 1.0, "most_steps": 100})
    assert canonical_bytes(spelled_out.model.pipeline) == canonical_bytes(trained_plainly().model.pipeline)
    assert spelled_out.model.manifest == trained_plainly().model.manifest


def test_the_fingerprint_does_not_depend_on_the_memory_layout() -> None:
    once = trained_plainly().model.manifest.training.fingerprint
    in_pieces = pa.concat_tables([ROWS.slice(0, 100), ROWS.slice(100)])
    assert train(rows=in_pieces).model.manifest.training.fingerprint == once
    other = with_column(ROWS, "noise", np.zeros(ROWS.num_rows))
    assert train(rows=other).model.manifest.training.fingerprint != once


def test_a_model_uses_only_the_chosen_features() -> None:
    manifest = train(features=["visits", "amount"]).model.manifest
    assert list(manifest.inputs.features) == ["amount", "visits"]
    assert manifest.specification.features == ("visits", "amount")


def test_an_unknown_feature_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParamsError, match=r"here\.features names \['height'\], expected only \['amount', "):
        train(features=["height"])


def test_a_fit_that_does_not_converge_is_refused() -> None:
    with pytest.raises(ParamsError, match="here: logistic_regression did not converge"):
        train(settings={"most_steps": 1})


def test_linear_parameters_have_eight_decimals() -> None:
    estimate = trained_plainly().model.pipeline[-1]
    for values in (estimate.coef_, estimate.intercept_):
        assert (values.round(8) == values).all()


def test_folds_are_reported_as_they_end() -> None:
    seen: list[FoldScore] = []
    specification = Specification(estimator="dummy")
    train_model(ROWS, schema_of("time"), specification, rules=RULES, where="here", reports=Reports(fold=seen.append))
    assert [fold.number for fold in seen] == [1, 2, 3, 4, 5]
    assert progress_of("mine", seen[0]).startswith("mine  fold 1/5  roc_auc 0.5000  average_precision 0.")


def test_a_perceptron_has_the_loss_of_each_epoch() -> None:
    losses = train("multilayer_perceptron", settings={"epochs": 7}).epoch_losses
    assert len(losses) == 7
    assert losses[-1] < losses[0]
    assert trained_plainly().epoch_losses == ()


def test_the_summary_describes_the_folds() -> None:
    rows = with_column(ROWS, "noise", [np.inf, *([1.0] * (ROWS.num_rows - 1))])
    summary = summary_of(train(rows=rows), schema_of("time"), rows)
    reason = "the future is predicted from the past"
    assert summary["folds"] == {"kind": "time", "count": 5, "embargo_days": 60, "reason": reason}
    assert summary["unusable_numbers"] == {"noise": 1}


SEARCHED = replace(
    RULES,
    search=SearchRule(method="random", budget=40, space={"inverse_penalty": Range(low=1e-4, high=10.0, scale="log")}),
)


def test_searched_settings_are_those_of_the_best_trial() -> None:
    trained = trained_plainly(search=True)
    best = max((trial for trial in trained.searched.trials if trial.folds == 5), key=lambda trial: trial.score or 0.0)
    assert len(trained.searched.trials) == 8
    assert trained.model.manifest.specification.settings["inverse_penalty"] == best.settings["inverse_penalty"]
    assert best.settings["inverse_penalty"] == trained.model.pipeline[-1].C


def test_a_trials_score_is_the_mean_of_its_folds() -> None:
    trained = trained_plainly(search=True)
    best = next(trial for trial in trained.searched.trials if trial.settings == trained.searched.best)
    assert best.score == pytest.approx(np.mean([fold.metrics["roc_auc"] for fold in trained.by_fold]))


def test_settings_outside_the_search_space_are_unchanged() -> None:
    assert train(rules=SEARCHED, settings={"most_steps": 77}).model.manifest.specification.settings["most_steps"] == 77


def test_a_trial_that_does_not_converge_is_counted_in_the_reason() -> None:
    rule = SearchRule(method="grid", budget=40, space={"most_steps": [1, 50, 100]})
    searched = train(rules=replace(RULES, search=rule)).searched
    assert [trial.score is None for trial in searched.trials] == [False, True, False]
    assert "1 could not be fitted" in searched.reason


def test_own_settings_that_do_not_converge_are_refused_in_a_search() -> None:
    with pytest.raises(ParamsError, match="here: logistic_regression did not converge"):
        train(rules=SEARCHED, settings={"most_steps": 1})


@pytest.mark.parametrize("name", ["depth", "features"])
def test_a_space_with_an_unknown_parameter_is_refused(name: str) -> None:
    rule = SearchRule(method="random", budget=40, space={name: [1, 2]})
    with pytest.raises(ParamsError, match=rf"here\.search\.space\.{name}: unknown parameter"):
        train(rules=replace(RULES, search=rule))


def test_a_budget_below_one_trial_on_all_folds_is_refused() -> None:
    rule = SearchRule(method="bayesian", budget=4)
    with pytest.raises(ParamsError, match="budget is 4 fits, expected at least 5"):
        train(rules=replace(RULES, search=rule))


def test_a_search_can_use_fewer_rows_than_the_final_fit() -> None:
    rule = SearchRule(method="grid", budget=40, most_rows=100, space={"inverse_penalty": [0.1, 1.0]})
    trained = train(rules=replace(RULES, search=rule))
    assert trained.searched.reason.endswith("each fit on at most 100 rows")
    chosen = trained.searched.best
    assert trained.out_of_fold["score"].equals(train(settings=dict(chosen)).out_of_fold["score"])


def test_a_search_fits_forests_of_a_quarter_of_their_trees() -> None:
    rule = SearchRule(method="random", budget=10, space={"deepest": [2, 3]})
    trained = train("random_forest", rules=replace(RULES, search=rule), settings={"trees": 88})
    assert trained.searched.reason.endswith("; each fit with 22 trees")
    assert len(trained.model.pipeline[-1].estimators_) == 88
    small = train("random_forest", settings={"trees": 22, **trained.searched.best})
    means = float(np.mean([fold.metrics["roc_auc"] for fold in small.by_fold]))
    assert max(trial.score or 0 for trial in trained.searched.trials) == pytest.approx(means)


def test_a_search_reports_progress_after_every_fit() -> None:
    seen: list[Progress] = []
    specification = Specification(estimator="logistic_regression")
    train_model(
        ROWS, schema_of("time"), specification, rules=SEARCHED, where="here", reports=Reports(search=seen.append)
    )
    assert [progress.fits for progress in seen] == list(range(1, 41))


def test_calibrated_scores_agree_with_the_saved_pipeline() -> None:
    plain, trained = trained_plainly(), train(calibration="sigmoid")
    assert trained.model.manifest.calibration == "sigmoid"
    frame = frame_of(ROWS, trained.model.features)
    moved = trained.model.pipeline[-1].calibrate(plain.model.pipeline.predict_proba(frame)[:, 1])
    assert_array_equal(trained.model.pipeline.predict_proba(frame)[:, 1], moved)
    assert not trained.out_of_fold["score"].equals(plain.out_of_fold["score"])


def test_the_learning_curve_ends_at_the_scores_of_the_folds() -> None:
    trained = train(rules=replace(RULES, learning_curve=(0.2, 1.0)))
    small, whole = trained.learning_curve
    assert (small["share"], whole["share"]) == (0.2, 1.0)
    assert small["rows"] == pytest.approx(0.2 * whole["rows"], rel=0.05)
    assert (
        small["score"] < whole["score"] == pytest.approx(np.mean([fold.metrics["roc_auc"] for fold in trained.by_fold]))
    )
    assert small["train_score"] > whole["train_score"] > whole["score"]


def test_the_summary_has_the_reason_for_fewer_folds() -> None:
    trained = train(rules=replace(RULES, folds=50))
    folds = summary_of(trained, schema_of("time"), ROWS)["folds"]
    assert isinstance(folds, dict)
    assert folds["count"] == len(trained.by_fold) < 50
    assert "expected one for each of 50 folds" in folds["reason"]


def test_the_order_in_which_fits_end_does_not_matter() -> None:
    """They run from the last to the first; results are returned in the order of the calls."""
    specification = Specification(estimator="histogram_gradient_boosting", settings={"trees": 5})
    rules = replace(RULES, search=SearchRule(method="bayesian", budget=30), learning_curve=(0.5,))
    once, backwards = (
        train_model(ROWS, schema_of("time"), specification, rules=rules, where="here", run=run)
        for run in (run_sequentially, lambda function, calls: iter([function(*call) for call in reversed(calls)][::-1]))
    )
    assert canonical_bytes(once.model.pipeline) == canonical_bytes(backwards.model.pipeline)
    assert (once.searched, once.learning_curve) == (backwards.searched, backwards.learning_curve)


def test_the_manifest_describes_the_model() -> None:
    manifest = train(settings={"inverse_penalty": 0.5}).model.manifest
    assert manifest.specification.settings == {"inverse_penalty": 0.5, "most_steps": 100}
    assert manifest.training.rows == ROWS.num_rows
    assert manifest.training.positives == sum(ROWS["label"].to_pylist())
    assert manifest.training.first_moment == min(ROWS["moment"].to_pylist()).isoformat()
