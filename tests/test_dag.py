"""dvc.yaml says exactly what the stages import, load and write."""

import ast
import fnmatch
from pathlib import Path

import pytest

from ops.dvc.pipeline import ENVIRONMENT, Stage, expected_code, read_stages

ROOT = Path(__file__).parent.parent
STAGES = read_stages(ROOT)
GITIGNORE = [line.strip() for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")]
LOADERS = {"load_params", "load_value"}


def tree_of(stage: Stage) -> ast.Module:
    return ast.parse((ROOT / stage.module.replace(".", "/")).with_suffix(".py").read_bytes())


def calls_in(tree: ast.Module) -> list[tuple[str, list[str]]]:
    """Return the functions that are called by name, with their literal text arguments."""
    return [
        (node.func.id, [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]


def loaded_params(stage: Stage) -> set[str]:
    calls = calls_in(tree_of(stage))
    named = {words[0] for name, words in calls if name in LOADERS and words}
    return named | ({"seed"} if any(name == "load_seed" for name, _ in calls) else set())


def written_paths(stage: Stage) -> set[str]:
    """Return the paths of the module's own constants, the ones on top of every stage."""
    return {
        node.args[0].value
        for node in ast.walk(tree_of(stage))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Path"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_the_stages_are_those_of_the_design() -> None:
    names = [stage.name for stage in STAGES]
    assert {"ingest", "prepare", "featurize", "train", "evaluate", "validate", "drift", "abtest"} <= set(names)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_code_dependencies_are_the_import_closure(stage: Stage) -> None:
    assert stage.code == expected_code(stage, root=ROOT), "cure: python -m ops deps --write"


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_params_are_the_sections_that_are_loaded(stage: Stage) -> None:
    assert {param.split(".")[0] for param in stage.params} == loaded_params(stage)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_the_environment_is_a_dependency(stage: Stage) -> None:
    assert ENVIRONMENT in stage.dependencies


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_path_of_a_stage_is_declared(stage: Stage) -> None:
    declared = [*stage.dependencies, *stage.outputs]
    for path in written_paths(stage):
        assert any(is_inside(path, other) or is_inside(other, path) for other in declared), path


def is_inside(path: str, folder: str) -> bool:
    pattern = folder.replace("${key}", "*").replace("${task}", "*")
    return path == folder or fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(path, f"{pattern}/*")


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_git_ignores_every_cached_output_and_no_other(stage: Stage) -> None:
    for output in stage.outputs:
        ignored = any(is_inside(f"/{output}", entry) for entry in GITIGNORE)
        assert ignored == (output in stage.cached), output


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_failed_run_leaves_the_last_good_outputs(stage: Stage) -> None:
    body = (ROOT / "dvc.yaml").read_text()
    for output in stage.outputs:
        line = next(line for line in body.splitlines() if output in line and "persist" in line)
        assert "persist: true" in line


def test_stage_scripts_stay_small() -> None:
    long = {
        path.name: lines
        for path in (ROOT / "stages").glob("*.py")
        if (lines := len(path.read_text().splitlines())) > 100
    }
    assert long == {}
