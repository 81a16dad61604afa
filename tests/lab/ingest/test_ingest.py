"""The stage ingest: every kind of source, its metrics, and outputs after a failure."""

import json
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lab.core.errors import SourceError
from lab.core.result_files import read_result
from lab.core.tables import read_table, write_table
from stages import ingest
from tests.project import ROOT, files_below, run

SYNTHETIC = {"kind": "synthetic"}
DAYS = pa.array(["2024-01-02", "2024-03-04"]).cast(pa.timestamp("us"))
MADE = pa.table({"sale_id": [1, 2], "moment": DAYS})
FILES = {"kind": "files", "tables": {"rows": {"path": "rows.csv"}}}
OUTPUTS = ("data/raw", "metrics")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty project folder, the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepare(project: Path, source: dict[str, Any]) -> None:
    """Write the inputs of the stage: params, the task's source, synthetic tables."""
    (project / "params.yaml").write_text("task: own\nseed: 1\n")
    (project / "data/world").mkdir(exist_ok=True, parents=True)
    (project / "data/task").mkdir(parents=True, exist_ok=True)
    (project / "data/task/source.json").write_text(json.dumps({"source": source}))
    (project / "data/source/own").mkdir(parents=True, exist_ok=True)


def outputs(project: Path) -> dict[str, bytes]:
    return {name: content for name, content in files_below(project).items() if name.startswith(OUTPUTS)}


def made(project: Path) -> None:
    write_table(MADE, project / "data/world/tables/sales.parquet")


def test_synthetic_tables_are_copied_byte_for_byte(project: Path) -> None:
    prepare(project, SYNTHETIC)
    made(project)
    ingest.main()
    assert files_below(project / "data/raw") == files_below(project / "data/world/tables")


def test_missing_synthetic_tables_are_refused_with_both_cures(project: Path) -> None:
    prepare(project, SYNTHETIC)
    with pytest.raises(SourceError, match=r"data/world/tables holds no tables.*dvc repro world.*files or sql"):
        ingest.main()
    assert outputs(project) == {}


def test_the_metrics_hold_rows_columns_and_period_of_each_table(project: Path) -> None:
    prepare(project, SYNTHETIC)
    made(project)
    ingest.main()
    period = {"moment": {"first": "2024-01-02T00:00:00", "last": "2024-03-04T00:00:00"}}
    assert read_result(project / "metrics/ingest.json") == {
        "source": "synthetic",
        "tables": {"sales": {"rows": 2, "columns": 2, "period": period}},
    }


def test_running_again_writes_the_same_bytes(project: Path) -> None:
    prepare(project, SYNTHETIC)
    made(project)
    ingest.main()
    before = outputs(project)
    ingest.main()
    assert outputs(project) == before


def test_a_file_becomes_a_table(project: Path) -> None:
    prepare(project, FILES)
    (project / "data/source/own/rows.csv").write_text("name,label\na,Yes\nb,No\n")
    ingest.main()
    assert read_table(project / "data/raw/rows.parquet").to_pydict() == {"name": ["a", "b"], "label": ["Yes", "No"]}


def test_the_period_of_dates_spans_all_row_groups_without_nulls(project: Path) -> None:
    prepare(project, {"kind": "files", "tables": {"rows": {"path": "rows.parquet"}}})
    days = [None, *(date(2020 + year, 1, 1) for year in range(5)), None] * 20_000
    empty = pa.array([None] * len(days), pa.date32())
    write_table(pa.table({"day": days, "never": empty}), project / "data/source/own/rows.parquet")
    ingest.main()
    table = read_result(project / "metrics/ingest.json")["tables"]["rows"]
    assert table == {
        "rows": 140_000,
        "columns": 2,
        "period": {"day": {"first": "2020-01-01", "last": "2024-01-01"}},
    }


def test_a_database_is_read_with_the_url_in_the_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(project, {"kind": "sql", "url_variable": "OWN_URL", "tables": {"rows": {"query": "rows.sql"}}})
    connection = sqlite3.connect(project / "own.sqlite")
    connection.executescript("create table t (n integer, word text); insert into t values (1, 'a'), (2, null);")
    connection.close()
    (project / "data/source/own/rows.sql").write_text("select n, word from t order by n")
    monkeypatch.setenv("OWN_URL", f"sqlite:///{project / 'own.sqlite'}")
    ingest.main()
    assert read_table(project / "data/raw/rows.parquet").to_pydict() == {"n": [1, 2], "word": ["a", None]}
    assert read_result(project / "metrics/ingest.json")["source"] == "sql"


def test_a_source_that_fails_midway_leaves_the_last_good_outputs(project: Path) -> None:
    source: dict[str, Any] = {"kind": "files", "tables": {"a": {"path": "a.csv"}, "b": {"path": "b.csv"}}}
    prepare(project, source)
    for name in ("a", "b"):
        (project / f"data/source/own/{name}.csv").write_text("x,y\n1,2\n")
    ingest.main()
    before = outputs(project)
    (project / "data/source/own/a.csv").write_text("x,y\n3,4\n")
    (project / "data/source/own/b.csv").write_text("x,y\n3,4,5\n")
    with pytest.raises(SourceError, match=r"b\.csv"):
        ingest.main()
    assert outputs(project) == before
    assert list(project.rglob("*.partial")) == []


def test_at_the_command_line_a_mistake_is_one_message_and_exit_code_2(project: Path) -> None:
    prepare(project, FILES)
    done = run(["python", "-m", "stages.ingest"], cwd=project, check=False, environment={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    assert "rows.csv is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_copying_tables_imports_nothing_heavy(project: Path) -> None:
    prepare(project, SYNTHETIC)
    made(project)
    code = "from stages import ingest; ingest.main(); import sys; print(*sys.modules)"
    done = run(["python", "-c", code], cwd=project, environment={"PYTHONPATH": str(ROOT)})
    heavy = {"pandas", "scipy", "sklearn", "duckdb", "sqlalchemy", "lab.ingest.files", "lab.ingest.sql"}
    assert heavy.isdisjoint(done.stdout.split())
