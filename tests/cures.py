"""Find the cures that messages print, and apply a printed cure."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.project import ROOT, run

FOLDERS = ("lab", "ops", "serving", "stages")
SIGN = "Cure: "
HOLE = "{}"  # stands for a value that is known when the message is printed
LONGEST = 60  # characters of a cure in its key


@cache
def cures() -> Mapping[str, str]:
    """Return the printed cures of the product by key: the module, and how the cure begins."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    found = {}
    for path in paths:
        for cure in _cures_in(ast.parse(path.read_bytes())):
            words = " ".join(cure.split())
            if words.replace(HOLE, "").strip(" .`'"):
                found[f"{path.relative_to(ROOT)}: {words[:LONGEST].strip()}"] = words
    return found


def apply_cure(
    message: str, command: str, *, of: str, cwd: Path, fill: Mapping[str, str] | None = None
) -> CompletedProcess[str]:
    """Run a command that a message prints as its cure, with its placeholders filled; the message must print it."""
    cure = cure_in(message, of=of)
    assert command in cure, f"the cure is {cure!r}, which does not print {command!r}"
    for placeholder, word in (fill or {}).items():
        command = command.replace(placeholder, word)
    return run(["bash", "-ec", command], cwd=cwd, environment={"PYTHONPATH": str(ROOT)})


def cure_in(message: str, *, of: str) -> str:
    """Return the printed cure, for a test that applies it itself; `of` is its key."""
    parts = [re.escape(part) for part in cures()[of].split(HOLE)]
    pattern = ".*?".join(parts) if parts[-1] else ".*?".join(parts[:-1]) + r"\S+"
    found = re.search(pattern, " ".join(message.split()), flags=re.DOTALL)
    assert found, f"{message!r} does not print {cures()[of]!r}"
    return found.group()


def hold_to_cure(of: str, refused: Callable[[], object], cured: Callable[[], object]) -> None:
    """Make a call that is refused and prints the cure, then the same with the cure applied, which is not refused."""
    with pytest.raises(ValueError, match=SIGN) as error:
        refused()
    cure_in(str(error.value), of=of)
    cured()


def applied() -> set[str]:
    """Return the keys that a test names; `apply_cure`, `cure_in` and `hold_to_cure` check the message."""
    named: set[str] = set()
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        content = path.read_text(encoding="utf-8")
        if "tests.cures" in content:
            texts = (_text(node) for node in ast.walk(ast.parse(content)))
            named |= {text for text in texts if text is not None and text in cures()}
    return named


def _cures_in(tree: ast.Module) -> Iterator[str]:
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
        if isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        text = None if id(node) in parts | docstrings else _text(node)
        if text is not None and SIGN in text:
            yield text.partition(SIGN)[2]
        for value in _named_cures(node):
            if (other := _text(value)) is not None and SIGN not in other:
                yield other


def _named_cures(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is assigned or passed as `cure`, and the cure of a guard or a check."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        if node.targets[0].id.lower() == "cure":
            yield node.value
    elif isinstance(node, ast.Call):
        yield from (each.value for each in node.keywords if each.arg == "cure")
        if isinstance(node.func, ast.Name) and node.func.id in {"Answer", "Check"} and len(node.args) == 4:
            yield node.args[3]


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or HOLE for part in node.values)
    return None
