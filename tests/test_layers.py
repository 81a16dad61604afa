"""Imports run one way: lab.stats, then lab, then stages, ops, serving and dashboard, which never meet."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SIDES = ("stages", "ops", "serving", "dashboard")
STATISTICS = {"numpy", "scipy", "lab"}
STANDARD = {"collections", "dataclasses", "functools", "itertools", "math", "typing", "enum", "hashlib", "operator"}


def modules_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add(node.module or "")
    return found


def roots_of(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path)}


@pytest.mark.parametrize("path", modules_of("lab"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_imports_none_of_its_users(path: Path) -> None:
    assert roots_of(path).isdisjoint(SIDES)


@pytest.mark.parametrize("path", modules_of("lab/stats"), ids=lambda path: path.name)
def test_statistics_stand_on_numpy_and_scipy_alone(path: Path) -> None:
    assert roots_of(path) <= STATISTICS | STANDARD
    assert all(name.startswith("lab.stats") for name in imports_of(path) if name.startswith("lab"))


@pytest.mark.parametrize("side", [side for side in SIDES if (ROOT / side).exists()])
def test_the_users_of_the_library_never_import_one_another(side: str) -> None:
    others = set(SIDES) - {side}
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


@pytest.mark.parametrize("path", modules_of("lab"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_reads_params_in_one_place_only(path: Path) -> None:
    if path != ROOT / "lab/core/params.py":
        constants = {
            node.value
            for node in ast.walk(ast.parse(path.read_bytes()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert "params.yaml" not in constants
