"""The champion: a promoted specification, fitted on rows with known labels."""

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from lab.core.errors import ParamsError, SourceError
from lab.model_files.specification import Specification
from lab.train.champion import Gain, read_champion, rows_known_by
from lab.train.estimators import with_defaults
from tests.project import OWN
from tests.tables import HORIZON_DAYS, feature_rows, schema_of

ROWS = feature_rows(np.random.default_rng(1), 120)
FILE = """
default: {version: 1, estimator: dummy}
churn: {version: 3, estimator: logistic_regression, settings: {inverse_penalty: 1e-1}, trained_until: 2024-06-30}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "champion.yaml"
    path.write_text(FILE)
    return path


def test_a_task_has_its_own_champion(file: Path) -> None:
    where, champion = read_champion("churn", file)
    assert where.endswith("champion.yaml: churn")
    assert (champion.version, champion.trained_until) == (3, date(2024, 6, 30))
    assert champion.specification.settings == {"inverse_penalty": 0.1}


def test_a_task_without_a_champion_has_the_default(file: Path) -> None:
    where, champion = read_champion("anything", file)
    assert (where[-7:], champion.estimator) == ("default", "dummy")


def test_the_first_champion_is_logistic_regression() -> None:
    where, champion = read_champion("churn", OWN / "champion.yaml")
    assert with_defaults(champion.specification, where=where).estimator == "logistic_regression"


def test_an_entry_names_the_replaced_version_and_the_reason(file: Path) -> None:
    file.write_text(
        "churn: {version: 3, estimator: dummy, replaces: 2, because: better, "
        "gain: {metric: roc_auc, value: 0.02, low: 0.01, high: 0.03}}"
    )
    champion = read_champion("churn", file)[1]
    assert (champion.replaces, champion.because, champion.gain) == (
        2,
        "better",
        Gain(metric="roc_auc", value=0.02, low=0.01, high=0.03),
    )
    assert set(champion.specification.model_dump()) == set(Specification.model_fields)


def test_an_unknown_key_is_refused(file: Path) -> None:
    file.write_text("default: {version: 1, estimator: dummy, threshold: 0.5}")
    with pytest.raises(ParamsError, match=r"default\.threshold: Extra inputs .*\n.*git diff champion\.yaml"):
        read_champion("churn", file)


def test_a_file_without_a_default_is_refused(file: Path) -> None:
    file.write_text("other: {version: 1, estimator: dummy}")
    with pytest.raises(ParamsError, match=r"has \['other'\], expected churn or default"):
        read_champion("churn", file)


def test_rows_are_those_whose_label_was_known_by_the_end_of_the_day() -> None:
    newest = datetime(2024, 4, 30)  # noqa: DTZ001 - the data's own zone
    known = newest + timedelta(days=HORIZON_DAYS)
    on_the_day = rows_known_by(ROWS, schema_of("time"), known.date(), where="here")
    the_day_before = rows_known_by(ROWS, schema_of("time"), known.date() - timedelta(days=1), where="here")
    assert max(on_the_day["moment"].to_pylist()) == newest
    assert max(the_day_before["moment"].to_pylist()) < newest


def test_without_a_day_all_rows_are_used() -> None:
    assert rows_known_by(ROWS, schema_of("time"), None, where="here").equals(ROWS)


def test_a_day_before_every_label_is_refused() -> None:
    with pytest.raises(SourceError, match="oldest training row is of 2024-01-01 and its label became known 60 days"):
        rows_known_by(ROWS, schema_of("time"), date(2024, 1, 15), where="here")


def test_a_day_is_refused_where_rows_have_no_moment() -> None:
    with pytest.raises(ParamsError, match=r"here\.trained_until is 2024-01-15, expected null"):
        rows_known_by(ROWS, schema_of("stratified"), date(2024, 1, 15), where="here")
