"""A champion is released only when it gives the recorded scores."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner

from lab.core.errors import SourceError
from lab.core.tables import read_table, write_table
from ops.smoke import smoke
from tests.history import history_of

PREDICTIONS = Path("data/predictions/test.parquet")
SCORE = "champion_score"


@pytest.fixture
def released(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder that holds what smoke reads."""
    shutil.copy(history_of(tmp_path_factory) / "params.yaml", tmp_path)
    for name in ("models/champion", "data/features", "data/predictions"):
        shutil.copytree(history_of(tmp_path_factory) / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_champion_gives_the_scores_that_were_judged(released: Path) -> None:
    done = CliRunner().invoke(smoke)
    rows = read_table(PREDICTIONS).num_rows
    assert (done.exit_code, f"{rows} of {rows} rows of test" in done.output) == (0, True)


def test_one_score_that_differs_in_its_last_digit_is_one_too_many(released: Path) -> None:
    table = read_table(PREDICTIONS)
    scores = table[SCORE].to_pylist()
    scores[3] += 1e-6
    write_table(table.set_column(table.column_names.index(SCORE), SCORE, pa.array(scores)), PREDICTIONS)
    done = CliRunner().invoke(smoke)
    assert (done.exit_code, f"{len(scores) - 1} of {len(scores)} rows" in done.output) == (1, True)


def test_other_rows_are_refused(released: Path) -> None:
    table = read_table(PREDICTIONS)
    write_table(table.filter(pc.not_equal(table[SCORE], table[SCORE][0])), PREDICTIONS)
    with pytest.raises(SourceError, match="have different rows"):
        CliRunner().invoke(smoke, catch_exceptions=False)


@pytest.mark.parametrize("tag", ["churn#staging#1", "churn@v1.0.0"])
def test_a_tag_of_the_task_at_hand_is_released(released: Path, tag: str) -> None:
    assert CliRunner().invoke(smoke, ["--tag", tag]).exit_code == 0


def test_a_tag_of_another_task_is_refused(released: Path) -> None:
    with pytest.raises(SourceError, match="releases high_value_sale, found the model of churn"):
        CliRunner().invoke(smoke, ["--tag", "high_value_sale#staging#1"], catch_exceptions=False)
