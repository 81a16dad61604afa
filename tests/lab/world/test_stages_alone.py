"""The stages that make synthetic data need exactly what they declare; no other stage does."""

import ast
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lab.core.result_files import read_json, write_json
from lab.core.tables import read_table
from lab.task.schema import read_task
from tests.history import history_of
from tests.project import ROOT, files_below, run
from tests.test_hermetic import FORKED_RUNS, lay_out

STAGES: dict[str, Any] = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS = {"seed": 2024, "world": {"customers": 800}}  # the size and seed of the tests' own data
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hermetic")]


def entry_of(name: str) -> dict[str, Any]:
    """Return a stage of dvc.yaml in the form of an entry of dvc.lock."""
    stage = STAGES[name]
    params = {key: PARAMS[key] for key in stage["params"]}
    return {"deps": [{"path": path} for path in stage["deps"]], "params": {"params.yaml": params}, "cmd": stage["cmd"]}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all that both stages read: the history's data, and a task that simulates an experiment."""
    folder = tmp_path_factory.mktemp("world")
    history = history_of(tmp_path_factory)
    for name in ("data/features", "data/predictions", "data/prepared", "data/task"):
        shutil.copytree(history / name, folder / name)
    for name in ("lab", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "requirements.txt", folder)
    shutil.copytree(ROOT / "tasks", folder / "tasks")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        experiment = read_task("churn").experiment.model_dump(mode="json")
    write_json({"experiment": experiment}, folder / "data/task/experiment.json")
    lay_out(folder, {"params": entry_of("world")["params"]}, folder)
    run(["python", "-m", "stages.world"], cwd=folder)
    return folder


def test_the_world_needs_no_more_than_it_declares(project: Path, tmp_path: Path) -> None:
    lay_out(project, entry_of("world"), tmp_path)
    before = set(files_below(tmp_path))
    run(["python", "-m", "stages.world"], cwd=tmp_path)
    made = {name: content for name, content in files_below(tmp_path).items() if name not in before}
    assert {name.split("/")[1] for name in made} == {"truth", "world"}
    assert made == {name: (project / name).read_bytes() for name in made}


def test_the_simulated_experiment_needs_no_more_than_it_declares(project: Path, tmp_path: Path) -> None:
    lay_out(project, entry_of("world_traffic"), tmp_path)
    before = set(files_below(tmp_path))
    run(["python", "-m", "stages.world_traffic"], cwd=tmp_path)
    left = set(files_below(tmp_path)) - before
    assert left == {"data/traffic/simulated/log.parquet", "data/traffic/simulated/simulation.json"}
    assert read_json(tmp_path / "data/traffic/simulated/simulation.json") == {"simulated": True}
    design = read_json(project / "data/task/experiment.json")["experiment"]["design"]
    assert {design["unit"], design["arm"], *design["outcomes"]} <= set(
        read_table(tmp_path / "data/traffic/simulated/log.parquet").column_names
    )


def test_the_simulated_experiment_declares_no_more_than_it_needs(project: Path, tmp_path: Path) -> None:
    entry = entry_of("world_traffic")
    missing = [item["path"] for item in entry["deps"] if item["path"].startswith("data/")] + ["seed"]
    lay_out(project, entry, tmp_path / "whole")
    folders = [tmp_path / str(number) for number in range(len(missing))]
    for folder, needed in zip(folders, missing, strict=True):
        lay_out(project, entry, folder, without=needed, code=False)
    command = ["python", str(FORKED_RUNS), "stages.world_traffic", "--", *map(str, [tmp_path / "whole", *folders])]
    whole, *codes = map(int, run(command, cwd=tmp_path / "whole").stdout.splitlines())
    assert whole == 0
    assert [needed for needed, code in zip(missing, codes, strict=True) if code == 0] == []


def test_nothing_else_imports_the_world() -> None:
    own = ("lab/world/", "stages/world", "tests/lab/world/")
    users = []
    for folder in ("lab", "stages", "ops", "serving", "deploy", "tests", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if not name.startswith(own) and any(
                module.startswith(("lab.world", "stages.world")) for module in imported(path)
            ):
                users.append(name)
    assert users == [], "a repository without synthetic data must work. Cure: read files instead"


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    direct = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return direct | {
        f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }
