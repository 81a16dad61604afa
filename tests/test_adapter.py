"""DVC and GTO are imported in one folder only, DVCLive in one file."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIBRARIES = {"dvc", "dvc_data", "dvc_objects", "dvclive", "gto", "scmrepo"}
ADAPTER = ("ops/dvc/", "lab/core/recording.py")
PRODUCT = ("lab", "ops", "serving", "stages", "deploy")


def imported(path: Path) -> set[str]:
    """Return the packages that a file imports, inside functions too."""
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


def test_only_the_adapter_imports_dvc_and_gto() -> None:
    files = [path for folder in PRODUCT for path in sorted((ROOT / folder).rglob("*.py"))]
    found = {str(path.relative_to(ROOT)): names for path in files if (names := imported(path) & LIBRARIES)}
    elsewhere = {path: names for path, names in found.items() if not path.startswith(ADAPTER)}
    assert elsewhere == {}, "cure: put it behind a function of ops/dvc"
    assert set().union(*found.values()) == {"dvc", "dvc_data", "dvclive", "gto", "scmrepo"}
