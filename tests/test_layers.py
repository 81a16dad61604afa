"""Imports go down the floors of docs/architecture.md; stages, ops and serving never import one another."""

import ast
from functools import cache
from pathlib import Path

import pytest

from ops.dvc.import_closure import import_closure
from ops.dvc.pipeline import read_stages
from ops.readme.architecture import ARCHITECTURE, floors
from ops.readme.rooms import room_imports
from tests.project import ROOT

FLOORS = floors((ROOT / ARCHITECTURE).read_text())
ROOMS = room_imports(ROOT)
SIDES = ("stages", "ops", "serving")
STATISTICS = {"numpy", "scipy", "lab"}
STANDARD = {"collections", "dataclasses", "functools", "itertools", "math", "typing", "enum", "hashlib", "operator"}
# This room may be deleted, with its stages and tasks.
REMOVABLE = {"world"}
# champion fits a model as `train` does; world_traffic runs an experiment in the synthetic world.
WITHOUT_ROOM = {"champion", "world_traffic"}


def modules_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@cache
def imports_of(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import. Cure: import from the root"
            found.add(node.module or "")
    return frozenset(found)


def roots_of(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path)}


def test_lab_holds_rooms_and_no_module_of_its_own() -> None:
    loose = [path.name for path in (ROOT / "lab").glob("*.py") if path.name != "__init__.py"]
    assert loose == [], f"{loose} lie in lab/. Cure: move each into the room of the stage that uses it ({ARCHITECTURE})"


def test_the_table_names_every_room() -> None:
    missing, gone = set(ROOMS) - set(FLOORS), set(FLOORS) - set(ROOMS) - REMOVABLE
    assert not missing, f"rooms without a row in {ARCHITECTURE}: {missing}. Cure: add a row with floor and imports"
    assert not gone, f"rows of {ARCHITECTURE} without a room: {gone}. Cure: remove them"


@pytest.mark.parametrize("room", sorted(FLOORS))
def test_allowed_imports_go_to_a_lower_floor(room: str) -> None:
    floor, allowed = FLOORS[room]
    level = {other: FLOORS[other][0] for other in allowed if FLOORS[other][0] >= floor}
    assert not level, f"{room} is on floor {floor} and may not import {level}. Cure: move what both need down"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_what_the_table_allows(room: str) -> None:
    _, allowed = FLOORS[room]
    new, unused = ROOMS[room] - allowed, allowed - ROOMS[room]
    assert not new, f"lab/{room} imports {new}. Cure: move the code, or allow it in the table of {ARCHITECTURE}"
    assert not unused, f"{ARCHITECTURE} allows {room} to import {unused}, and it does not. Cure: remove them there"


def test_a_stage_and_its_room_have_one_name() -> None:
    names = {stage.module.removeprefix("stages.") for stage in read_stages(ROOT)}
    assert names - set(ROOMS) <= WITHOUT_ROOM


def test_what_only_ops_uses_lives_in_ops() -> None:
    """lab/stats is left out: it is a library of statistics, offered as a whole."""
    users = [".".join(path.relative_to(ROOT).with_suffix("").parts) for side in SIDES for path in modules_of(side)]
    used = {file for user in users if not user.startswith("ops.") for file in import_closure(user, root=ROOT)}
    library = {str(path.relative_to(ROOT)) for path in modules_of("lab") if path.name != "__init__.py"}
    others = sorted(file for file in library - used if not file.startswith("lab/stats/"))
    assert others == [], f"no stage and no server uses {others}. Cure: move them to the verb in ops/ that does"


def test_the_library_imports_none_of_its_users() -> None:
    users = {*SIDES, "deploy", "benchmarks", "tests"}
    assert [path for path in modules_of("lab") if roots_of(path) & users] == []


def test_statistics_need_numpy_and_scipy_alone() -> None:
    for path in modules_of("lab/stats"):
        assert roots_of(path) <= STATISTICS | STANDARD, path
        assert all(name.startswith("lab.stats") for name in imports_of(path) if name.startswith("lab")), path


@pytest.mark.parametrize("side", SIDES)
def test_the_users_of_the_library_never_import_one_another(side: str) -> None:
    others = {*SIDES, "deploy", "benchmarks", "tests"} - {side}
    for path in modules_of(side):
        assert roots_of(path).isdisjoint(others), path


@pytest.mark.parametrize("path", modules_of("stages"), ids=lambda path: path.name)
def test_every_stage_pins_the_kernels_first(path: Path) -> None:
    imports = [node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    if imports:
        assert ast.unparse(imports[0]) == "import lab.core.determinism"


def test_package_files_are_empty() -> None:
    tracked = [path for package in ("lab", "stages", "ops", "tests", "benchmarks") for path in modules_of(package)]
    assert [path for path in tracked if path.name == "__init__.py" and path.stat().st_size] == []


def test_the_library_reads_params_in_one_place_only() -> None:
    readers = [
        path
        for path in modules_of("lab")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Constant) and node.value == "params.yaml"
    ]
    assert set(readers) == {ROOT / "lab/core/params.py"}
