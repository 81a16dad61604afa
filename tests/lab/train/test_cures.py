"""Fits, searches and splits are refused with a cure that works."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lab.core.schema import Feature
from lab.dataset.split import TimeSplit
from lab.dataset.tables import TablesSection
from lab.dataset.windows import plan_split
from lab.model_files.specification import Preparation, Specification
from lab.reference.rows import moments_of
from lab.task.money import Money
from lab.train.champion import rows_known_by
from lab.train.estimators import with_defaults
from lab.train.preprocessing import build_columns
from lab.train.threshold import ThresholdRule, choose_threshold
from lab.train.workers import ADDRESS, address_of
from tests.cures import hold_to_cure
from tests.fitted import ROWS, SCHEMA, VARIANTS, fit
from tests.lab.drift.world import described, fitted, rows_of, stamped
from tests.lab.search.landscape import searched
from tests.tables import feature_rows, schema_of

Call = Callable[[], object]


def of_one_value() -> pa.Table:
    columns = {
        name: pa.array([ROWS[name][0].as_py()] * ROWS.num_rows, ROWS[name].type) if name in SCHEMA.features else values
        for name, values in zip(ROWS.column_names, ROWS.columns, strict=True)
    }
    return pa.table(columns)


def stacked(positives: int) -> Call:
    one, other = (ROWS.filter(pc.equal(ROWS["label"], label)) for label in (1, 0))
    return lambda: fit(pa.concat_tables([one.slice(0, positives), other.slice(0, 40)]), **VARIANTS["stacking"])


def columns(frame: pd.DataFrame, kind: str, **preparation: Any) -> Call:
    kinds = {str(name): Feature.model_validate({"kind": kind}) for name in frame}
    settings = Preparation.model_validate(preparation)
    return lambda: build_columns(frame, kinds, settings, numbers="imputed", rarest=50, seed=1, where="here")


def threshold(rule: str, **money: int) -> Call:
    scores, labels = np.array([0.2, 0.4, 0.6]), np.array([0, 1, 1], dtype=np.int8)
    rules, sums = ThresholdRule.model_validate({"rule": rule}), Money.model_validate(money)
    return lambda: choose_threshold(labels, scores, rules, money=sums)


def ensemble(*, second: str = "dummy", **more: Any) -> Call:
    members = {"one": {"estimator": "dummy"}, "two": {"estimator": second}}
    content = {"estimator": "voting", "settings": {"members": members}, **more}
    return lambda: with_defaults(Specification.model_validate(content), where="mine")


def searching(method: str, budget: int) -> Call:
    return lambda: searched(method, budget=budget)


def history(first: int) -> Call:
    split = TimeSplit(kind="time", horizon_days=60, current_days=120, test_days=60)
    return lambda: plan_split(split, first=datetime(first, 6, 1), last=datetime(2025, 12, 31))  # noqa: DTZ001 - days


def references(**violations: str) -> Call:
    def table(key: str, other: str) -> dict[str, Any]:
        reference = {"type": "identifier", "references": other, "on_violation": violations[key]}
        return {"key": [key], "columns": {key: {"type": "identifier"}, f"{other}_of": reference}}

    content = {"one": table("one", "two"), "two": table("two", "one")}
    return lambda: TablesSection.model_validate({"tables": content})


def known_by(day: date) -> Call:
    rows = feature_rows(np.random.default_rng(0), 120)
    return lambda: rows_known_by(rows, schema_of("time"), day, where="here")


def reference(rows: int) -> Call:
    return lambda: fitted(rows_of(np.random.default_rng(1), 300).slice(0, rows))


def moments(rows: int) -> Call:
    table = stamped(rows_of(np.random.default_rng(1), 20), start="2025-03-01", days=5)
    gap = pa.array([None, *table["moment"].to_pylist()[1:]], pa.timestamp("us"))
    table = table.set_column(table.column_names.index("moment"), "moment", gap).slice(20 - rows)
    return lambda: moments_of(table, described(moment=True))


NUMBERS = pd.DataFrame({f"number_{place}": np.arange(10.0) for place in range(40)})
LEVELS = pd.DataFrame({"product": pd.Series([f"product {place}" for place in range(2_001)], dtype=object)})
NOTHING = pd.DataFrame({"age": [np.nan] * 10})
CASES: dict[str, tuple[Call, ...]] = {
    "lab/train/fitting.py: add columns that vary.": (
        lambda: fit(of_one_value(), estimator="dummy"),
        lambda: fit(estimator="dummy"),
    ),
    "lab/train/fitting.py: allow more steps, or use a stronger penalty.": (
        lambda: fit(estimator="logistic_regression", settings={"most_steps": 2}),
        lambda: fit(estimator="logistic_regression", settings={"most_steps": 1000}),
        lambda: fit(estimator="logistic_regression", settings={"most_steps": 50, "inverse_penalty": 0.001}),
    ),
    "lab/train/fitting.py: more rows, or fewer folds.": (stacked(4), stacked(20)),
    "lab/train/preprocessing.py: add columns that vary.": (
        columns(NOTHING, "number"),
        columns(NOTHING.assign(height=np.arange(10.0)), "number"),
    ),
    "lab/train/preprocessing.py: set a lower number; more levels are then target-encoded.": (
        columns(LEVELS, "category", one_hot_up_to=5_000),
        columns(LEVELS, "category", one_hot_up_to=20),
    ),
    "lab/train/preprocessing.py: use a lower degree, interactions_only: true, or fewer featur": (
        columns(NUMBERS, "number", polynomial_degree=3),
        columns(NUMBERS, "number", polynomial_degree=2),
        columns(NUMBERS.iloc[:, :8], "number", polynomial_degree=3),
        columns(NUMBERS.iloc[:, :22], "number", polynomial_degree=3, interactions_only=True),
    ),
    "lab/train/threshold.py: set money in the task file, or choose best_f1.": (
        threshold("cheapest"),
        threshold("cheapest", benefit_of_true_positive=1),
        threshold("best_f1"),
    ),
    "lab/train/estimators.py: make the members of {} members of this one.": (ensemble(second="voting"), ensemble()),
    "lab/train/estimators.py: move it to the members, {}.settings.members.NAME.preparation": (
        ensemble(preparation={"polynomial_degree": 2}),
        ensemble(
            settings={
                "members": {
                    "one": {"estimator": "dummy"},
                    "two": {"estimator": "logistic_regression", "preparation": {"polynomial_degree": 2}},
                }
            }
        ),
    ),
    "lab/train/champion.py: set a later day, or null for all rows.": (
        known_by(date(2024, 1, 15)),
        known_by(date(2030, 1, 1)),
    ),
    "lab/search/exhaustive.py: raise it to {}, use fewer points, or choose the method halvi": (
        searching("grid", 119),
        searching("grid", 120),
        searching("halving", 119),
    ),
    "lab/search/search.py: raise the budget, or set {}.method to none.": (
        searching("random", 3),
        searching("random", 4),
        searching("none", 3),
    ),
    "lab/dataset/windows.py: add history, or lower split.current_days and split.test_days": (
        history(2025),
        history(2023),
    ),
    "lab/dataset/tables.py: set_missing on one of them": (
        references(one="drop_row", two="drop_row"),
        references(one="drop_row", two="set_missing"),
    ),
    "lab/reference/fit.py: a longer {} window.": (reference(0), reference(300)),
    "lab/reference/rows.py: drop these rows, or the whole column.": (moments(20), moments(19)),
}


@pytest.mark.parametrize("cure", CASES)
def test_the_cure_of_a_refused_setting_or_table(cure: str) -> None:
    refused, *cured = CASES[cure]
    for call in cured:
        hold_to_cure(cure, refused, call)


def test_the_address_of_workers_is_given_by_the_environment_or_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    key = "lab/train/workers.py: export {}=tcp://HOST:PORT, or set dask://HOST:PORT."

    def exported() -> None:
        monkeypatch.setenv(ADDRESS, "tcp://one:8786")
        assert address_of("dask") == "tcp://one:8786"

    hold_to_cure(key, lambda: address_of("dask"), exported)
    assert address_of("dask://two:8786") == "tcp://two:8786"
