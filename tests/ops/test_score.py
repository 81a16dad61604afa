"""The verb `score` gives the pipeline's scores; what it cannot score is refused."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import csv

from lab.core.tables import read_table, write_table
from lab.models.models import save_model
from lab.models.scoring import score_rows
from ops.score import FOLDERS, score
from tests.cures import cure_in
from tests.fitted import OTHER_ROWS, SCHEMA, model_of
from tests.history import history_of

VARIANTS = {"champion": "logistic_regression", "challenger": "histogram_gradient_boosting"}
NAME = sorted(SCHEMA.features)[0]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with two small models and the same rows as CSV and Parquet."""
    monkeypatch.chdir(tmp_path)
    for name, variant in VARIANTS.items():
        FOLDERS[name].mkdir(parents=True)
        save_model(model_of(variant), FOLDERS[name])
    write_table(OTHER_ROWS, Path("rows.parquet"))
    csv.write_csv(OTHER_ROWS, "rows.csv")
    return tmp_path


def call(*words: str) -> Any:
    return CliRunner().invoke(score, words)


def refusal(*words: str) -> str:
    return str(call(*words).exception)


@pytest.mark.parametrize("model", VARIANTS)
@pytest.mark.parametrize("rows", ["rows.parquet", "rows.csv"])
def test_csv_and_parquet_have_the_same_scores_as_in_the_pipeline(here: Path, model: str, rows: str) -> None:
    expected = score_rows(model_of(VARIANTS[model]), OTHER_ROWS).tolist()
    assert call(rows, "--model", model, "--output", "scores.parquet").exit_code == 0
    found = read_table(here / "scores.parquet")
    assert found[f"{model}_score"].to_pylist() == expected
    assert found.column_names == [*OTHER_ROWS.column_names, f"{model}_score"]


def test_what_is_printed_is_the_csv_that_is_written(here: Path) -> None:
    printed = call("rows.parquet").stdout_bytes
    assert call("rows.parquet", "--output", "scores.csv").output == ""
    assert (here / "scores.csv").read_bytes() == printed
    scores = csv.read_csv(io.BytesIO(printed))["champion_score"].to_pylist()
    assert scores == score_rows(model_of(VARIANTS["champion"]), OTHER_ROWS).tolist()


def test_a_file_without_a_feature_is_refused_until_its_columns_are_named_as_the_cure_says(here: Path) -> None:
    renamed = ["other" if name == NAME else name for name in OTHER_ROWS.column_names]
    write_table(OTHER_ROWS.rename_columns(renamed), here / "renamed.parquet")
    text = refusal("renamed.parquet")
    assert f"lacking or repeated: ['{NAME}']" in text
    assert cure_in(text, of="ops/score.py: name the columns as in data/features/schema.json.")
    write_table(read_table(here / "renamed.parquet").rename_columns(OTHER_ROWS.column_names), here / "renamed.parquet")
    assert call("renamed.parquet").exit_code == 0


def test_a_header_alone_is_refused(here: Path) -> None:
    (here / "head.csv").write_text((here / "rows.csv").read_text().partition("\n")[0] + "\n")
    assert cure_in(refusal("head.csv"), of="ops/score.py: name a file with rows.")
    assert call("rows.csv").exit_code == 0


@pytest.mark.parametrize("content", [b"a,b\n\xe9,1\n", b"\xe9,b\n1,1\n", b"a,b\n1\n", b""])
def test_text_that_is_no_csv_in_utf_8_is_refused_until_it_is_written_again(here: Path, content: bytes) -> None:
    (here / "bad.csv").write_bytes(content)
    assert cure_in(refusal("bad.csv"), of="ops/score.py: write it with commas, a header and UTF-8.")
    csv.write_csv(OTHER_ROWS, "bad.csv")
    assert call("bad.csv").exit_code == 0


def test_damaged_parquet_and_other_endings_are_refused(here: Path) -> None:
    (here / "bad.parquet").write_bytes(b"PAR1")
    assert cure_in(refusal("bad.parquet"), of="ops/score.py: write it again.")
    write_table(OTHER_ROWS, here / "bad.parquet")
    assert call("bad.parquet").exit_code == 0
    text = refusal("rows.csv", "--output", "scores.xlsx")
    assert cure_in(text, of="ops/score.py: name a CSV or Parquet file.")
    assert call("rows.csv", "--output", "scores.csv").exit_code == 0


@pytest.mark.parametrize("output", ["rows.csv", "./rows.csv", "link.csv"])
def test_the_file_that_is_read_is_never_overwritten(here: Path, output: str) -> None:
    (here / "link.csv").symlink_to("rows.csv")
    before = (here / "rows.csv").read_bytes()
    cure = cure_in(refusal("rows.csv", "--output", output), of="ops/score.py: --output scores.csv")
    assert (here / "rows.csv").read_bytes() == before
    assert call("rows.csv", *cure.split()).exit_code == 0


def test_columns_that_csv_cannot_hold_are_written_as_parquet(here: Path) -> None:
    write_table(OTHER_ROWS.append_column("list", pa.array([[1]] * OTHER_ROWS.num_rows)), here / "rows.parquet")
    cure = cure_in(refusal("rows.parquet"), of="ops/score.py: --output scores.parquet")
    assert call("rows.parquet", *cure.split()).exit_code == 0


def test_the_scores_and_their_reasons_are_those_of_the_pipeline(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = history_of(tmp_path_factory)
    monkeypatch.chdir(project)
    for model in VARIANTS:
        found = tmp_path / f"{model}.parquet"
        words = ("--model", model, "--reasons", "2", "--output", str(found))
        assert call("data/features/test.parquet", *words).exit_code == 0
        recorded = read_table(Path("data/predictions/test.parquet"))[f"{model}_score"]
        assert read_table(found)[f"{model}_score"].to_pylist() == recorded.to_pylist()
        reasons = read_table(Path(f"data/explanations/{model}/test.parquet"))
        for name in ("reason_1", "reason_2"):
            assert read_table(found)[name].to_pylist()[: reasons.num_rows] == reasons[name].to_pylist()
