"""The stages experiment and abtest on own data, with and without a log."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from lab.core.errors import SourceError
from lab.core.result_files import read_result
from stages import abtest, experiment
from tests.judged import WINDOWS, features_of, lay_out, predictions_of, write_document
from tests.lab.abtest.logs import DESIGN, OUTCOMES, drawn, written


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    features = {window: features_of(rng, 500) for window in WINDOWS}
    lay_out(tmp_path, features, {window: predictions_of(rng, table) for window, table in features.items()})
    yaml = YAML()
    content = yaml.load((tmp_path / "params.yaml").read_text())
    with (tmp_path / "params.yaml").open("w") as stream:
        yaml.dump({**content, "task": "own"}, stream)
    (tmp_path / "data/source/own").mkdir(parents=True)
    return tmp_path


def run_both(folder: Path, section: dict[str, Any]) -> dict[str, Any]:
    write_document(folder / "data/task/experiment.json", {"experiment": section})
    experiment.main()
    abtest.main()
    online: dict[str, Any] = read_result(Path("metrics/abtest.json"))["online"]
    return online


def test_without_an_experiment_the_stage_says_so_and_does_the_offline_half(folder: Path) -> None:
    online = run_both(folder, {"log": None})
    assert online == {"analysed": False, "reason": "the task has no experiment log (experiment.log is null)"}
    lengths = {path.stem: len(path.read_text().splitlines()) for path in Path("plots/abtest").iterdir()}
    assert lengths == {"differences": 15, "effects": 1, "path": 1, "posterior": 1, "power": 1}
    assert sorted(path.name for path in Path("data/experiment").iterdir()) == ["experiment.json"]


@pytest.mark.parametrize("name", ["visits.csv", "visits.parquet"])
def test_a_log_of_ones_own_is_analysed(folder: Path, name: str) -> None:
    written(folder / "data/source/own", drawn(3000, lift=0.1), name=name)
    online = run_both(folder, {"log": name, "design": {**DESIGN, "outcomes": OUTCOMES, "segments": ["region"]}})
    assert online["analysed"]
    assert online["decision"]["action"] == "SHIP"
    assert online["reason"].startswith("SHIP new (better, and all guardrails pass; one look): stayed: 0.")
    assert [arm["arm"] for arm in online["units"]] == ["old", "new"]
    lengths = {path.stem: len(path.read_text().splitlines()) for path in Path("plots/abtest").iterdir()}
    assert lengths == {"differences": 15, "effects": 5, "path": 2, "posterior": 241, "power": 42}


def test_only_the_columns_that_the_design_names_are_brought_in(folder: Path) -> None:
    written(folder / "data/source/own", drawn(300))
    run_both(folder, {"log": "log.parquet", "design": DESIGN})
    from lab.core.tables import read_table  # noqa: PLC0415

    assert read_table(Path("data/experiment/log.parquet")).column_names == ["customer_id", "arm", "stayed"]


def test_the_same_log_gives_the_same_bytes(folder: Path) -> None:
    written(folder / "data/source/own", drawn(3000))
    section = {"log": "log.parquet", "design": {**DESIGN, "outcomes": OUTCOMES}}
    run_both(folder, section)
    first = {path: path.read_bytes() for part in ("metrics", "plots") for path in Path(part).rglob("*.*")}
    run_both(folder, section)
    assert first == {path: path.read_bytes() for path in first}


def test_a_log_without_rows_is_refused(folder: Path) -> None:
    written(folder / "data/source/own", drawn(0), name="log.csv")
    with pytest.raises(SourceError, match=r"log.csv: found 0 rows, expected at least one. Cure"):
        run_both(folder, {"log": "log.csv", "design": DESIGN})


def test_a_log_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"data/source/own/log.csv is missing"):
        run_both(folder, {"log": "log.csv", "design": DESIGN})


def test_a_simulated_log_that_no_stage_made_is_refused(folder: Path) -> None:
    simulation = {"salt": "s", "arms": {"old": "champion", "new": "challenger"}, "cost_of_offer": 1}
    with pytest.raises(SourceError, match=r"data/traffic/simulated/log.parquet is missing.*dvc repro world_traffic"):
        run_both(folder, {"simulation": simulation, "design": DESIGN})
