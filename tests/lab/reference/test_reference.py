"""The reference has bounded size, loads unchanged, and detects damage."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lab.core.errors import SourceError
from lab.core.result_files import json_bytes
from lab.reference.reference import load_reference, save_reference
from tests.lab.drift.world import fitted, judged, rows_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reference").mkdir()
    return tmp_path / "reference"


def test_a_saved_reference_gives_the_same_assessment(folder: Path) -> None:
    reference = fitted(rows_of(np.random.default_rng(1), 1000))
    save_reference(reference, folder)
    batch = rows_of(np.random.default_rng(2), 500)
    found, again = (judged(each, batch) for each in (reference, load_reference(folder)))
    assert json_bytes(found.document["verdicts"]) == json_bytes(again.document["verdicts"])
    assert json_bytes(found.document["anomalies"]) == json_bytes(again.document["anomalies"])


def test_the_same_rows_in_any_order_make_the_same_bytes(tmp_path: Path) -> None:
    rows = rows_of(np.random.default_rng(1), 600)
    shuffled = rows.take(pa.array(np.random.default_rng(2).permutation(600)))
    for number, table in enumerate((rows, shuffled)):
        (tmp_path / str(number)).mkdir()
        save_reference(fitted(table), tmp_path / str(number))
    files = [{path.name: path.read_bytes() for path in (tmp_path / str(number)).iterdir()} for number in (0, 1)]
    assert len(files[0]) == 5
    assert files[0] == files[1]


def test_its_size_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    sizes = []
    for rows in (20_000, 80_000):
        (tmp_path / str(rows)).mkdir()
        save_reference(fitted(rows_of(np.random.default_rng(1), rows), points=1000, rows=500), tmp_path / str(rows))
        sizes.append(sum(path.stat().st_size for path in (tmp_path / str(rows)).iterdir()))
    assert sizes[1] < 1.1 * sizes[0]


def test_a_thinned_reference_gives_the_verdicts_of_an_exact_one() -> None:
    rows, batch = rows_of(np.random.default_rng(1), 20_000), rows_of(np.random.default_rng(2), 5000)
    batch = batch.set_column(batch.column_names.index("visits"), "visits", pa.array(batch["visits"].to_numpy() + 1))
    whole, thin = (judged(fitted(rows, points=points), batch).document for points in (100_000, 1000))
    assert [line["verdict"] for line in whole["verdicts"]] == [line["verdict"] for line in thin["verdicts"]]


def test_scores_are_calibrated_only_where_it_helps() -> None:
    rng = np.random.default_rng(3)
    rows = rows_of(rng, 4000)
    chances = rng.random(4000).round(6)
    labels = (rng.random(4000) < chances).astype(np.int8)
    rows = rows.set_column(rows.column_names.index("label"), "label", pa.array(labels))
    honest = rows.set_column(rows.column_names.index("champion_score"), "champion_score", pa.array(chances))
    bent = rows.set_column(rows.column_names.index("champion_score"), "champion_score", pa.array((chances**3).round(6)))
    facts = fitted(bent).facts.models["champion"]
    assert facts.curve_x
    assert (facts.calibrated_error or 1) < (facts.calibration_error or 0)
    few = fitted(honest).facts.models["champion"]
    assert bool(few.curve_x) == ((few.calibrated_error or 1) < (few.calibration_error or 0))


@pytest.mark.parametrize("name", ["numbers.parquet", "levels.parquet", "rows.parquet", "anomalies.skops"])
def test_a_damaged_reference_is_refused(folder: Path, name: str) -> None:
    save_reference(fitted(rows_of(np.random.default_rng(1), 300)), folder)
    (folder / name).write_bytes(b"damaged")
    with pytest.raises(SourceError, match=f"{name} is damaged or missing: .* Cure: dvc repro"):
        load_reference(folder)


def test_a_reference_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"reference.json is missing, expected an output of stage reference"):
        load_reference(tmp_path)


def test_a_window_without_rows_is_no_reference() -> None:
    with pytest.raises(SourceError, match="test has no rows, expected rows for the reference"):
        fitted(rows_of(np.random.default_rng(1), 10).slice(0, 0))


def test_few_rows_promise_no_rate_of_false_alarms() -> None:
    reference = fitted(rows_of(np.random.default_rng(1), 60))
    found = judged(reference, rows_of(np.random.default_rng(2), 60)).document["anomalies"]
    assert found["reason"] == "the reference has too few rows for a guaranteed false alarm rate"
