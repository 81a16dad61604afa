"""Each stage gives the same bytes with its declared dependencies alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ops.dvc.pipeline import is_code
from tests.history import history_of
from tests.project import OWN, ROOT, files_below, lock_of, run, without_world

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hermetic")]
# Synthetic tables and logs: the tests' task reads files, and dependencies cannot be declared per task.
MADE_BY_STAGES = ("data/world", "data/traffic")
FORKED_RUNS = ROOT / "tests/forked_runs.py"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return history_of(tmp_path_factory)


@pytest.fixture(scope="module")
def lock(project: Path) -> dict[str, Any]:
    return lock_of(project)


def names_of_stages() -> list[str]:
    """Return the stages as DVC resolves them, a foreach stage once per item."""
    stages = YAML(typ="safe").load(without_world((ROOT / "dvc.yaml").read_bytes()))["stages"]
    candidates = YAML(typ="safe").load(OWN / "params.yaml")["train"]["candidates"]
    return sorted(each for name, body in stages.items() for each in items_of(name, body, candidates))


def items_of(name: str, body: dict[str, Any], candidates: dict[str, Any]) -> list[str]:
    return [f"{name}@{key}" for key in candidates] if "foreach" in body else [name]


def nest(flat: dict[str, Any]) -> dict[str, Any]:
    """Return dotted names as the nested mapping that params.yaml would hold."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, last = name.split(".")
        section = nested
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = value
    return nested


def lay_out(
    project: Path, entry: dict[str, Any], folder: Path, *, without: str | None = None, code: bool = True
) -> None:
    """Put a stage's declared dependencies and params into an empty folder."""
    folder.mkdir(exist_ok=True)
    for dependency in (item["path"] for item in entry.get("deps", [])):
        source, target = project / dependency, folder / dependency
        if dependency == without or (is_code(dependency) and not code):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    if params := entry.get("params", {}).get("params.yaml"):
        kept = {name: value for name, value in params.items() if name != without}
        with (folder / "params.yaml").open("w") as stream:
            YAML(typ="safe").dump(nest(kept), stream)


def outputs_of(folder: Path, entry: dict[str, Any]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in (item["path"] for item in entry["outs"]):
        whole = folder / path
        below = files_below(whole) if whole.is_dir() else {"": whole.read_bytes()}
        found |= {f"{path}/{name}" if name else path: content for name, content in below.items()}
    return found


@pytest.mark.parametrize("name", names_of_stages())
def test_a_stage_needs_no_more_than_it_declares(name: str, project: Path, lock: dict[str, Any], tmp_path: Path) -> None:
    entry = lock[name]
    lay_out(project, entry, tmp_path)
    before = set(files_below(tmp_path))
    done = run(entry["cmd"].split(), cwd=tmp_path, check=False, environment={"DVC_STAGE": name})
    assert done.returncode == 0, done.stderr
    assert outputs_of(tmp_path, entry) == outputs_of(project, entry)
    left = set(files_below(tmp_path)) - before - set(outputs_of(tmp_path, entry))
    assert left == set()


def declared_inputs(entry: dict[str, Any]) -> Iterator[str]:
    """Yield the data and params of a stage; test_dag checks its code."""
    for item in entry.get("deps", []):
        if not is_code(item["path"]) and item["path"] != "requirements.txt":
            yield item["path"]
    yield from entry.get("params", {}).get("params.yaml", {})


def one_of_each() -> list[str]:
    """Return the stages, of a foreach stage the first: its items share one declaration."""
    return list({name.partition("@")[0]: name for name in reversed(names_of_stages())}.values())


@pytest.mark.parametrize("name", one_of_each())
def test_a_stage_declares_no_more_than_it_needs(name: str, project: Path, lock: dict[str, Any], tmp_path: Path) -> None:
    entry = lock[name]
    missing = [needed for needed in declared_inputs(entry) if needed not in MADE_BY_STAGES]
    lay_out(project, entry, tmp_path / "whole")
    folders = [tmp_path / str(number) for number in range(len(missing))]
    for folder, needed in zip(folders, missing, strict=True):
        lay_out(project, entry, folder, without=needed, code=False)
    _python, _module, *stage = entry["cmd"].split()
    command = ["python", str(FORKED_RUNS), *stage, "--", *map(str, [tmp_path / "whole", *folders])]
    done = run(command, cwd=tmp_path / "whole", environment={"DVC_STAGE": name})
    whole, *codes = map(int, done.stdout.splitlines())
    assert whole == 0
    assert [needed for needed, code in zip(missing, codes, strict=True) if code == 0] == []
