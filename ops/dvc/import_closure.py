"""The modules of this repository that a module imports, directly or through others."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("lab", "stages", "ops", "serving", "dashboard")
LIBRARY = "lab/"


def import_closure(module: str, *, root: Path) -> list[str]:
    """Return the files that importing a module opens, as sorted paths from the root, the module's own included.

    Imports inside functions count: they run when the function does. Package files do not: they are empty.
    """
    found: set[str] = set()
    waiting = [module]
    while waiting:
        path = _file_of(waiting.pop(), root)
        if path is None or str(path.relative_to(root)) in found:
            continue
        found.add(str(path.relative_to(root)))
        waiting += imported_modules(path, root=root)
    return sorted(found)


def imported_modules(path: Path, *, root: Path) -> list[str]:
    """Return the modules of this repository that a file imports by itself, also inside its functions."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] in PACKAGES and _file_of(name, root)]


def libraries(module: str, *, root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield what importing a module imports from outside of this repository: a library's module, and names in it.

    Imports inside functions are left out, and so is the standard library.
    """
    waiting, found = [module], set[Path]()
    while waiting:
        path = _file_of(waiting.pop(), root)
        if path is None or path in found:
            continue
        found.add(path)
        for node in ast.parse(path.read_bytes(), filename=str(path)).body:
            for name, parts in _imports(node):
                if name.split(".")[0] in PACKAGES:
                    waiting += [name, *(f"{name}.{part}" for part in parts)]
                elif name.split(".")[0] not in sys.stdlib_module_names:
                    yield name, parts


def _imports(node: ast.stmt) -> list[tuple[str, list[str]]]:
    if isinstance(node, ast.ImportFrom) and node.module:
        return [(node.module, [alias.name for alias in node.names])]
    return [(alias.name, []) for alias in node.names] if isinstance(node, ast.Import) else []


def _file_of(module: str, root: Path) -> Path | None:
    path = root.joinpath(*module.split(".")).with_suffix(".py")
    return path if path.is_file() else None
