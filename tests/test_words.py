"""Names, first lines and pages use the words of the field."""

import ast
import re
from pathlib import Path

import pytest

from tests.project import ROOT

COVERED = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "params.yaml", "champion.yaml", "dvc.yaml"),
    *(".github", "benchmarks", "deploy", "docs", "lab", "ops", "serving", "stages", "tasks", "tests"),
)
SUFFIXES = (".py", ".md", ".yaml", ".yml", ".sql", "")
MODULES = {
    *("patience", "leash", "alone", "turns", "told", "wishes", "telling", "chapters", "acts", "play", "wire", "safe"),
    *("direct", "lineup", "sharing", "beliefs", "further", "looking", "tally", "whole", "watch"),
    *("moved", "sightings", "findings", "handover", "helpers", "utils", "common", "misc", "hub", "identity"),
}
IDENTIFIERS = {"told", "wishes", "leash", "lineup", "beliefs", "tally", "sightings", "kept_asking", "whoever"}
PHRASES = (
    r"\b(is|are|was|were|be|been|being) told\b",
    r"\btold (so|it|by|what|why|where|which|how)\b",
    r"\bwhoever\b",
    r"\bwho(m)? (asks|asked|is asked)\b",
    r"\bwhat is asked\b",
    r"\b(hold|holds|held|holding) (it|them|each|every \w+|one|this|that) (to|against) (a|an|the|its|their)\b",
    r"\b(is|are|was|were) held (to|against)\b",
    r"\bparted by\b",
    r"\bstops? nobody\b",
    r"\bin(to)? form\b",
    r"\bthe very (same|bits|bytes|reasons|scores|casts|model)\b",
    r"\bmay regret\b",
    r"\bonly the past\b",
    r"\bwithout losing a request\b",
    r"\bon a leash\b",
    r"\bwishes\b",
    r"\bpatience\b(?!=)",
    r"\bsays no\b",
    r"\bnobody (asks|asked|is waited)\b",
    r"\bin sight\b",
    r"\bat one with\b",
    r"\bhangs on\b",
    r"\bput(s)? right\b",
    r"\bis no more\b",
    r"\bthat are gone\b",
)
MOST_WORDS = 15


def covered(*suffixes: str) -> list[Path]:
    """Return the files that have one of these suffixes."""
    paths = [ROOT / name for name in COVERED]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sorted(file for file in files if file.is_file() and file.suffix in suffixes)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def words_of(path: Path) -> list[str]:
    """Return the phrases of a file that have a plainer form, with their lines."""
    return [
        f"{number}: {found.group()}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for phrase in PHRASES
        for found in re.finditer(phrase, line, flags=re.IGNORECASE)
    ]


def names_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_bytes())
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assigned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return defined | assigned | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}


@pytest.mark.parametrize("path", covered(*SUFFIXES), ids=name_of)
def test_pages_and_code_use_plain_phrases(path: Path) -> None:
    found = [] if path == Path(__file__) else words_of(path)
    assert found == [], f"{name_of(path)}: {found}. Cure: the word of the field, subject first (docs/glossary.md)"


@pytest.mark.parametrize("path", covered(".py"), ids=name_of)
def test_names_are_those_of_the_field(path: Path) -> None:
    assert path.stem not in MODULES, f"{name_of(path)}: name the module by what it does"
    found = names_of(path) & IDENTIFIERS
    assert not found, f"{name_of(path)}: {found} are pictures; use the word of the field"


@pytest.mark.parametrize("path", covered(".py"), ids=name_of)
def test_a_first_line_is_short(path: Path) -> None:
    first = (ast.get_docstring(ast.parse(path.read_bytes())) or "").partition("\n")[0]
    assert len(first.split()) <= MOST_WORDS, f"{name_of(path)}: {first!r} has more than {MOST_WORDS} words"


def test_a_phrase_is_found() -> None:
    assert [phrase for phrase in PHRASES if re.search(phrase, "The user is told so by whoever asks.")] != []
