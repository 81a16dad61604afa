"""dvc.yaml declares exactly the imports, params and outputs of the stages."""

import ast
import fnmatch
import re
from collections import Counter
from pathlib import Path
from statistics import mean, median

import pytest

from lab.core.yaml_files import read_yaml
from ops.dvc.ignore import admitted
from ops.dvc.pipeline import ENVIRONMENT, Stage, expected_code, read_stages
from ops.dvc.stages import Pipeline, files_read, path_of
from ops.revisions.git import lines_of
from ops.revisions.lock import entries_of

ROOT = Path(__file__).parent.parent
STAGES = read_stages(ROOT)
GITIGNORE = [line.strip() for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")]
LOADERS = {"load_params", "load_value"}


def tree_of(stage: Stage) -> ast.Module:
    return ast.parse((ROOT / stage.module.replace(".", "/")).with_suffix(".py").read_bytes())


def calls_in(tree: ast.Module) -> list[tuple[str, list[str]]]:
    """Return the functions called by name, with their literal text arguments."""
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
    """Return the paths among the constants of the module."""
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


def test_every_stage_but_card_has_a_run_cache() -> None:
    bodies = {name: body.get("do", body) for name, body in read_yaml(ROOT / "dvc.yaml", cure="")["stages"].items()}
    assert "persist" not in str(bodies)
    plain = {name for name, body in bodies.items() for out in body.get("outs", []) if not isinstance(out, str)}
    assert plain == {"card"}


def test_a_pull_request_folds_every_result_that_git_keeps() -> None:
    kept = ["dvc.lock", *(f"{path}/a" for stage in STAGES for path in stage.outputs if path not in stage.cached)]
    found = lines_of("check-attr", "linguist-generated", *kept, root=ROOT)
    assert [line for line in found if not line.endswith(": set")] == []


def test_stage_scripts_stay_small() -> None:
    long = {
        path.name: lines
        for path in (ROOT / "stages").glob("*.py")
        if (lines := len(path.read_text().splitlines())) > 100
    }
    assert long == {}


def test_dvc_yaml_is_short_enough_to_read() -> None:
    text = (ROOT / "dvc.yaml").read_text()
    stages = text.split("\nstages:\n")[1].split("\nplots:\n")[0]
    longest = max(len(block.strip().splitlines()) for block in re.split(r"\n(?=  [a-z])", stages))
    lines = len(text.splitlines())
    assert (lines <= 600, longest <= 45) == (True, True), f"dvc.yaml has {lines} lines, its longest stage {longest}"


def test_dvc_lock_is_short_for_each_node() -> None:
    text = (ROOT / "dvc.lock").read_text()
    each = len(text.splitlines()) / len(entries_of(text.encode()))
    assert each <= 95, f"dvc.lock has {each:.0f} lines a node. Cure: rooms, not files, as dependencies"


def test_an_edited_file_makes_few_nodes_stale() -> None:
    stages = Pipeline(ROOT).stages.values()
    nodes = Counter(path_of(item) for stage in stages for item in files_read(stage))
    files = admitted(lines_of("ls-files", "lab", root=ROOT), (ROOT / ".dvcignore").read_text())
    counts = [nodes[str(Path(path).parent)] for path in files if not path.endswith("__init__.py")]
    found = f"one edited file of lab makes {mean(counts):.2f} nodes stale on average, {median(counts)} in the median"
    assert (mean(counts) <= 4.5, median(counts) <= 2) == (True, True), f"{found}. Cure: cut the room by its users"
