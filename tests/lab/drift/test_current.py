"""A prediction log as the current window of stage and command."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from lab.core.errors import SourceError
from lab.core.result_files import read_json, read_result, write_json
from lab.core.tables import write_table
from ops.drift.command import drift as command
from stages import drift, reference
from tests.cures import cure_in
from tests.judged import WINDOWS, features_of, predictions_of
from tests.lab.drift.logs import MODEL, OTHER, answers, label, write_log
from tests.lab.drift.world import SETTINGS, changed, lay_out_drift, stamped

ROWS = 600


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a reference, and the log of a server in which most columns moved; each tenth has a label."""
    folder = tmp_path_factory.mktemp("current")
    rng = np.random.default_rng(4)
    features = {window: features_of(rng, ROWS) for window in WINDOWS}
    predictions = {window: predictions_of(rng, table) for window, table in features.items()}
    lay_out_drift(folder, features, predictions, {**SETTINGS, "current": "served/log"})
    served = moved(features["current"].append_column("champion_score", predictions["current"]["champion_score"]))
    labels = [label(place, place % 2) for place in range(0, ROWS, 10)]
    write_log(folder / "served/log", answers(stamped(served, start="2025-03-01", days=3)), labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        reference.main()
    return folder


@pytest.fixture
def folder(laid_out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(laid_out)
    return laid_out


def moved(table: pa.Table) -> pa.Table:
    table = changed(table, "visits", [visits + 2 for visits in table["visits"].to_pylist()])
    return changed(table, "age", [min(age + 20, 99) for age in table["age"].to_pylist()])


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["--current", "served/log", *arguments])


def test_the_stage_judges_what_the_setting_names_as_the_command_does(folder: Path) -> None:
    drift.main()
    found: dict[str, Any] = read_result(folder / "metrics/drift.json")
    assert (found["rows"], list(found["performance"])) == ({"current": ROWS, "test": ROWS}, ["champion"])
    done = ask("--json")
    assert (done.exit_code, json.loads(done.stdout)["retrain"]) == (1, found["retrain"])


def test_the_command_tells_what_of_a_log_it_judges_apart_from_the_judgement(folder: Path) -> None:
    done = ask("--json", "--save", "saved.json", "--page", "page.html")
    assert f"served/log: {ROWS} of {ROWS} answers are used, {ROWS // 10} of them with a label" in done.stderr
    assert read_json(folder / "saved.json") == json.loads(done.stdout)
    assert "<svg" in (folder / "page.html").read_text()


@pytest.mark.parametrize(("damaged", "faults"), [(3, []), (60, ["unreadable"])])
def test_lines_that_cannot_be_read_are_counted_and_too_many_are_a_data_fault(
    folder: Path, damaged: int, faults: list[str]
) -> None:
    rows = stamped(features_of(np.random.default_rng(5), 200), start="2025-03-01", days=3)
    lines = answers(rows.append_column("champion_score", pa.array([0.5] * 200)))
    for line in lines[:damaged]:
        line["moment"] = "2025-02-30"
    write_log(folder / f"damaged-{damaged}", lines)
    done = CliRunner().invoke(command, ["--current", f"damaged-{damaged}", "--json"])
    found = json.loads(done.stdout)
    reason = "moment is not a moment, such as 2025-11-02T00:00:00"
    assert f"set aside: {damaged} because {reason} (first: id-0000)" in done.stderr
    assert found["set_aside"] == {"lines": 200, "reasons": [{"reason": reason, "lines": damaged, "first": "id-0000"}]}
    assert [fault["kind"] for fault in found["faults"]] == faults
    assert (done.exit_code == 3) == bool(faults)


def test_several_and_unknown_models_are_reported(folder: Path) -> None:
    (folder / "models/champion").mkdir(parents=True, exist_ok=True)
    (folder / "models/champion/manifest.json").write_text("{}")
    rows = stamped(features_of(np.random.default_rng(5), 100), start="2025-03-01", days=3)
    rows = rows.append_column("champion_score", pa.array([0.5] * 100))
    lines = [{**line, "fingerprint": OTHER if place < 9 else MODEL} for place, line in enumerate(answers(rows))]
    write_log(folder / "two", lines)
    done = CliRunner().invoke(command, ["--current", "two"])
    assert "2 models answered: abababababab (91), cdcdcdcdcdcd (9)" in done.stderr
    assert "abababababab, cdcdcdcdcdcd: not a model in models" in done.stderr


def test_a_file_is_read_as_the_source_of_the_task_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = features_of(np.random.default_rng(5), 300)
    rows = changed(
        rows, "amount", [None if place % 50 == 0 else n for place, n in enumerate(rows["amount"].to_pylist())]
    )
    rows = rows.append_column("champion_score", pa.array([place % 97 / 100 for place in range(300)]))
    write_table(rows, folder / "rows.parquet")
    own = pa.array([("No", "Yes")[label] for label in rows["label"].to_pylist()])
    rows = rows.drop_columns("label").append_column("churned", own)
    written = {"sep": ";", "decimal": ",", "na_rep": "-1", "encoding": "utf-8-sig", "index": False}
    rows.to_pandas().to_csv(folder / "rows.data.gz", **written)
    asked = ["--json", "--current"]
    expected = CliRunner().invoke(command, [*asked, "rows.parquet"])
    assert json.loads(expected.stdout)["rows"]["current"] == 300
    assert json.loads(expected.stdout)["performance"]["champion"]
    table = {"path": "train.data", "delimiter": ";", "decimal": ",", "missing": ["-1"]}
    other = {"path": "other.csv", "names": ["first", "second"]}
    source = {"source": {"kind": "files", "tables": {"other": other, "main": table}}}
    monkeypatch.setattr("lab.core.stage_files.SECTIONS", folder / "data/task/own")
    write_json(source, folder / "data/task/own/source.json")
    features = {"question": "Who leaves?", "label": "churned", "positive": "Yes", "table": "main"}
    write_json({"features": features}, folder / "data/task/own/features.json")
    found = CliRunner().invoke(command, [*asked, "rows.data.gz"])
    assert (found.exit_code, found.stdout) == (expected.exit_code, expected.stdout)
    rows.to_pandas().to_csv(folder / "commas.csv", index=False)  # another program's file is still read
    assert CliRunner().invoke(command, [*asked, "commas.csv"]).stdout == expected.stdout


def test_log_options_are_refused_for_another_file(folder: Path) -> None:
    write_table(features_of(np.random.default_rng(5), 100), folder / "rows.parquet")
    done = CliRunner().invoke(command, ["--current", "rows.parquet", "--arm", "all"])
    assert isinstance(done.exception, SourceError)
    cure_in(str(done.exception), of="ops/drift/command.py: drop these options.")
    assert "is not a log" not in str(CliRunner().invoke(command, ["--current", "rows.parquet"]).exception)
