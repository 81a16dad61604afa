"""Every estimator and preprocessing is deterministic and robust."""

import os
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score

from lab.core.errors import ParamsError, SourceError
from lab.core.schema import Feature
from lab.model_files.canonical import canonical_bytes
from lab.model_files.manifest import fingerprint_of
from lab.model_files.specification import Specification
from lab.models.frames import frame_of
from lab.train.estimators import ESTIMATORS
from lab.train.fitting import Plan, fit_pipeline, fitting
from tests.fitted import MEMBERS, OTHER_ROWS, ROWS, SCHEMA, SMALL, VARIANTS, bytes_of, fit, fitted
from tests.project import ROOT
from tests.tables import feature_rows


def scores(pipeline: Any, rows: pa.Table = OTHER_ROWS) -> Any:
    return pipeline.predict_proba(frame_of(rows, SCHEMA.features))


def with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def test_every_estimator_is_tested() -> None:
    assert set(SMALL) == set(ESTIMATORS)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_two_fits_give_the_same_bytes(variant: str) -> None:
    assert canonical_bytes(fit(**VARIANTS[variant])) == bytes_of(variant)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_the_order_of_columns_does_not_matter(variant: str) -> None:
    turned = ROWS.select(list(reversed(ROWS.column_names)))
    assert canonical_bytes(fit(turned, **VARIANTS[variant])) == bytes_of(variant)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_the_score_of_a_row_does_not_depend_on_other_rows(variant: str) -> None:
    alone = np.vstack([scores(fitted(variant), OTHER_ROWS.slice(place, 1)) for place in range(5)])
    np.testing.assert_allclose(alone, scores(fitted(variant))[:5], rtol=0, atol=1e-9)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_unseen_values_are_scored(variant: str) -> None:
    strange = with_column(OTHER_ROWS, "region", ["nowhere"] * OTHER_ROWS.num_rows)
    strange = with_column(strange, "product", pa.nulls(OTHER_ROWS.num_rows, pa.string()))
    strange = with_column(strange, "empty", [1e9] * OTHER_ROWS.num_rows)
    strange = with_column(strange, "constant", pa.nulls(OTHER_ROWS.num_rows, pa.float64()))
    found = scores(fitted(variant), strange)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_huge_and_infinite_values_are_scored(variant: str) -> None:
    amounts = ROWS["amount"].to_numpy(zero_copy_only=False).copy()
    amounts[:4] = [np.inf, -np.inf, 1e30, -1e29]
    pipeline = fit(with_column(ROWS, "amount", amounts), **VARIANTS[variant])
    found = scores(pipeline, with_column(ROWS, "amount", amounts))
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"dummy"}))
def test_a_model_learns_the_signal(variant: str) -> None:
    pipeline, rows = fitted(variant), feature_rows(np.random.default_rng(3), 2_000)
    assert roc_auc_score(rows["label"].to_numpy(), scores(pipeline, rows)[:, 1]) > 0.6


PROGRAM = """
import lab.core.determinism
import lab.train.fitting
lab.train.fitting.FEWEST_ROWS_FOR_OPENMP = 0
from lab.model_files.canonical import canonical_bytes
from lab.model_files.manifest import fingerprint_of
from tests.fitted import VARIANTS, fitted
from tests.lab.train.test_fitting import scores
for name in sorted(VARIANTS):
    pipeline = fitted(name)
    print(name, fingerprint_of(canonical_bytes(pipeline)), fingerprint_of(scores(pipeline).tobytes()))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("hash_seed", "threads"), [("0", "1"), ("12345", "4")])
def test_other_processes_hash_seeds_and_threads_give_the_same_bytes(hash_seed: str, threads: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONHASHSEED": hash_seed,
        "OMP_NUM_THREADS": threads,
        "LOKY_MAX_CPU_COUNT": threads,
    }
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    here = [
        f"{name} {fingerprint_of(bytes_of(name))} {fingerprint_of(scores(fitted(name)).tobytes())}"
        for name in sorted(VARIANTS)
    ]
    assert ended.stdout.splitlines() == here


def test_parallel_fits_equal_sequential_fits() -> None:
    with fitting(), ThreadPoolExecutor(4) as workers:
        found = list(workers.map(lambda name: canonical_bytes(fit(**VARIANTS[name])), sorted(VARIANTS)))
    assert found == [bytes_of(name) for name in sorted(VARIANTS)]


def test_parallel_fits_restore_the_warning_filters() -> None:
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: fit(**VARIANTS["multilayer_perceptron"]), range(8)))
    assert list(warnings.filters) == before
    with pytest.raises(ConvergenceWarning):
        warnings.warn("an end was not found", ConvergenceWarning, stacklevel=1)


def test_a_batch_can_be_entered_by_several_threads() -> None:
    gate = threading.Barrier(3)

    def enter(_: int) -> str:
        with fitting():
            gate.wait(timeout=10)
            return fingerprint_of(canonical_bytes(fit(**VARIANTS["multilayer_perceptron"])))

    with ThreadPoolExecutor(3) as workers:
        assert len(set(workers.map(enter, range(3)))) == 1


@pytest.mark.parametrize("rows", [ROWS.slice(0, 0), ROWS.filter(pa.compute.equal(ROWS["label"], 1))])
def test_rows_of_one_class_are_refused(rows: pa.Table) -> None:
    with pytest.raises(
        SourceError, match=r"mine: dummy is to be fitted on \d+ rows, \d+ of them positive, expected at"
    ):
        fit(rows, estimator="dummy")


def test_stacking_needs_enough_rows_for_its_inner_folds() -> None:
    """Four vectors' margins need three rows of a class in each inner part of two thirds: 5 − 2 = 3."""
    positives, negatives = (ROWS.filter(pa.compute.equal(ROWS["label"], label)) for label in (1, 0))
    enough = pa.concat_tables([positives.slice(0, 5), negatives])
    assert scores(fit(enough, **VARIANTS["stacking"])).shape == (120, 2)
    with pytest.raises(SourceError, match="expected at least 5 positive and 5 negative"):
        fit(pa.concat_tables([positives.slice(0, 4), negatives]), **VARIANTS["stacking"])


def test_a_column_may_have_no_value_in_an_inner_fold() -> None:
    """With one value in all rows, two of three inner folds are fitted on it and one is not."""
    rows = with_column(ROWS, "noise", pa.array([1.0, *[None] * (ROWS.num_rows - 1)]))
    assert np.isfinite(scores(fit(rows, **VARIANTS["stacking"]))).all()


def test_features_that_never_vary_are_refused() -> None:
    rows = ROWS
    for name in SCHEMA.features:
        rows = with_column(rows, name, pa.array([rows[name][0].as_py()] * rows.num_rows, rows[name].type))
    with pytest.raises(SourceError, match=r"every feature of .*'visits'.* has one value in all 300 rows"):
        fit(rows, estimator="dummy")


def test_a_fit_that_does_not_converge_is_refused() -> None:
    with pytest.raises(ParamsError, match="mine: logistic_regression did not converge in 2 steps"):
        fit(estimator="logistic_regression", settings={"most_steps": 2})


def test_a_member_that_does_not_converge_is_refused() -> None:
    members = {name: {"estimator": "logistic_regression", "settings": {"most_steps": 2}} for name in ("one", "two")}
    with pytest.raises(ParamsError, match="mine: voting did not converge in 2 steps"):
        fit(estimator="voting", settings={"members": members})


def test_a_member_equals_the_same_model_alone() -> None:
    members = dict(zip(sorted(MEMBERS), fitted("voting")[-1].estimators_, strict=True))
    for name, member in members.items():
        recipe = {key: value for key, value in MEMBERS[name].items() if key != "features"}
        if recipe != MEMBERS[name]:
            continue
        assert scores(member).tobytes() == scores(fit(**recipe)).tobytes()


def test_voting_weighs_each_members_probabilities_by_its_name() -> None:
    names = ("dummy", "logistic_regression")
    members = {name[:5]: {"estimator": name} for name in reversed(names)}
    voted = fit(estimator="voting", settings={"members": members, "weights": {"logis": 3.0, "dummy": 1.0}})
    dummy, logistic = (scores(fit(estimator=name)) for name in names)
    np.testing.assert_allclose(scores(voted), (dummy + 3 * logistic) / 4)


def test_a_members_unknown_feature_is_refused() -> None:
    members = {"one": {"estimator": "dummy"}, "two": {"estimator": "dummy", "features": ["height"]}}
    with pytest.raises(ParamsError, match=r"mine\.settings\.members\.two\.features names \['height'\], expected only"):
        fit(estimator="voting", settings={"members": members})


@pytest.mark.parametrize("name", sorted(name for name, recipe in ESTIMATORS.items() if recipe.weighs_rows))
def test_balanced_classes_weigh_the_same(name: str) -> None:
    """Rows without information score one half with balanced classes, else about the share of positives."""
    rng = np.random.default_rng(5)
    table = pa.table({"noise": rng.integers(0, 2, 600).astype(float), "label": np.tile([0, 0, 0, 1], 150)})
    frame, labels = frame_of(table, {"noise": Feature(kind="number")}), table["label"].to_numpy().astype(np.int8)

    def mean_score(class_weights: str) -> float:
        specification = Specification.model_validate(
            {"estimator": name, "settings": SMALL[name] | LONGER.get(name, {}), "class_weights": class_weights}
        )
        pipeline = fit_pipeline(Plan(specification, {"noise": Feature(kind="number")}, 1, "here"), frame, labels)
        return float(pipeline.predict_proba(frame)[:, 1].mean())

    assert 0.1 < mean_score("none") < 0.3  # boosting by weights is known for scores that are too low
    assert mean_score("balanced") == pytest.approx(0.5, abs=0.04)


LONGER: dict[str, dict[str, Any]] = {
    "gradient_boosting": {"trees": 60},
    "histogram_gradient_boosting": {"trees": 60},
    "multilayer_perceptron": {"epochs": 80},
}


def test_columns_are_selected_on_training_rows_alone() -> None:
    """On shuffled labels, columns selected on all rows would score held-out rows well above one half."""
    rng = np.random.default_rng(8)
    features = {f"noise_{place:03d}": Feature(kind="number") for place in range(200)}
    columns = {name: rng.normal(size=300).round(9) for name in features}
    frame, labels = frame_of(pa.table(columns), features), rng.permutation(np.tile([0, 1], 150)).astype(np.int8)
    keep = {"keep": {"by": "anova", "count": 5}}
    plan = Plan(
        Specification.model_validate({"estimator": "logistic_regression", "preparation": keep}), features, 1, "here"
    )
    parts = [np.arange(start, 300, 3) for start in range(3)]

    def held_out(plan: Plan) -> float:
        found = np.empty(300)
        for part in parts:
            rest = np.setdiff1d(np.arange(300), part)
            found[part] = fit_pipeline(plan, frame.iloc[rest], labels[rest]).predict_proba(frame.iloc[part])[:, 1]
        return float(roc_auc_score(labels, found))

    chosen = frame.columns[fit_pipeline(plan, frame, labels)["keep"].get_support()]
    leaking = Plan(Specification(estimator="logistic_regression"), {name: features[name] for name in chosen}, 1, "here")
    assert held_out(leaking) > 0.6
    assert abs(held_out(plan) - 0.5) < 0.09
