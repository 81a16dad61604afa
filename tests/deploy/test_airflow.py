"""The DAGs import in Airflow, in order, and every task is a known command."""

import ast
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ops.verbs import VERBS
from tests.project import QUIET, ROOT

pytestmark = pytest.mark.slow

FOLDER = ROOT / "deploy/airflow"
ORDER = {
    "lab_retrain": ["update", "look", "retrain"],
    "lab_release": ["update", "registry", "validate", "smoke", "register", "deploy", "gauges"],
    "lab_watch": ["drift", "gauges"],
}


def python_with_airflow() -> str:
    """Return a Python that has Airflow: AIRFLOW_PYTHON names it, or it is in .venv/airflow, or it runs this."""
    made = ROOT / ".venv/airflow/bin/python"
    if named := os.environ.get("AIRFLOW_PYTHON", str(made) if made.exists() else ""):
        return named
    if find_spec("airflow") is None:
        pytest.skip("Airflow is not installed here, and AIRFLOW_PYTHON names no Python that has it")
    return sys.executable


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("airflow")
    settings = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "LAB_REPOSITORY": "/srv/lab"}
    done = subprocess.run(
        [python_with_airflow(), str(Path(__file__).with_name("dags.py")), str(FOLDER)],
        cwd=home, env={**QUIET, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == {}
    dags: dict[str, Any] = found["dags"]
    return dags


def test_airflow_finds_every_dag_with_its_tasks_in_order(dags: dict[str, Any]) -> None:
    assert {name: list(dag["tasks"]) for name, dag in dags.items()} == ORDER


@pytest.mark.parametrize("name", ORDER)
def test_each_task_waits_for_the_one_before(dags: dict[str, Any], name: str) -> None:
    before = [[], *([task] for task in ORDER[name][:-1])]
    assert [task["after"] for task in dags[name]["tasks"].values()] == before


def test_a_release_waits_for_somebody_and_nothing_is_made_up_for_lost_days(dags: dict[str, Any]) -> None:
    assert dags["lab_release"]["schedule"] is None
    assert not any(dag["catchup"] for dag in dags.values())


def test_what_retrain_answers_without_a_proposal_skips_and_does_not_fail(dags: dict[str, Any]) -> None:
    said = import_module("ops.retrain.command").retrain.help
    for name in ("look", "retrain"):
        skips = dags["lab_retrain"]["tasks"][name]["skips"]
        assert skips == [10, 11, 13]
        assert all(re.search(rf"^\s*{code}  \w", said, re.MULTILINE) for code in skips)


def test_every_command_runs_in_the_repository(dags: dict[str, Any]) -> None:
    assert {task["folder"] for dag in dags.values() for task in dag["tasks"].values()} == {"/srv/lab"}


def commands() -> list[str]:
    """Return every command in the files, as they can be read without Airflow."""
    calls = [
        node
        for path in sorted(FOLDER.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "command"
    ]
    return [call.args[1].value for call in calls if isinstance(call.args[1], ast.Constant)]  # type: ignore[misc]


def test_every_task_has_a_command_that_can_be_read() -> None:
    assert len(commands()) == sum(map(len, ORDER.values()))


@pytest.mark.parametrize("command", [command for command in commands() if command.startswith("make ")])
def test_every_target_is_in_the_makefile(command: str) -> None:
    assert re.search(rf"^{command.removeprefix('make ')}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", [command for command in commands() if command.startswith("python ")])
def test_every_verb_has_the_options_that_it_is_given(command: str) -> None:
    verb = re.match(r"python -m ops (\w+)", command)
    assert verb
    assert verb[1] in VERBS
    known = {
        option
        for parameter in getattr(import_module(VERBS[verb[1]].module), verb[1]).params
        for option in parameter.opts
    }
    assert set(re.findall(r"--[a-z-]+", command)) <= known


def test_the_dags_hold_no_other_commands() -> None:
    others = {command for command in commands() if not command.startswith(("make ", "python -m ops "))}
    assert others == {"git pull --ff-only --tags"}
