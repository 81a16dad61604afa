"""Names, first lines and pages use the words of the field."""

import ast
import re
from pathlib import Path

from tests.project import ROOT

COVERED = (
    *(
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "AGENTS.md",
        "CITATION.cff",
        "Makefile",
        "params.yaml",
        "champion.yaml",
        "dvc.yaml",
    ),
    *(".github", "benchmarks", "deploy", "docs", "lab", "ops", "serving", "stages", "tasks", "tests"),
)
SUFFIXES = (".py", ".md", ".yaml", ".yml", ".sql", "")
MODULES = {
    *("patience", "leash", "alone", "turns", "told", "wishes", "telling", "chapters", "acts", "play", "wire", "safe"),
    *("direct", "lineup", "sharing", "beliefs", "further", "looking", "tally", "whole", "watch"),
    *("moved", "sightings", "findings", "handover", "helpers", "utils", "common", "misc", "hub", "identity"),
}
IDENTIFIERS = {"told", "wishes", "leash", "lineup", "beliefs", "tally", "sightings", "kept_asking", "whoever"}
PHRASES = tuple(
    map(
        re.compile,
        (
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
        ),
    )
)
MOST_WORDS = 15
NEWLINE = "\n"


def covered(*suffixes: str) -> list[Path]:
    """Return the files that have one of these suffixes."""
    paths = [ROOT / name for name in COVERED]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sorted(file for file in files if file.is_file() and file.suffix in suffixes)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def words_of(path: Path) -> list[str]:
    """Return the phrases of a file that have a plainer form, with their lines."""
    text = path.read_text(encoding="utf-8")
    return [
        f"{text.count(NEWLINE, 0, found.start()) + 1}: {found.group()}"
        for phrase in PHRASES
        for found in phrase.finditer(text.lower())
    ]


def names_of(path: Path) -> set[str]:
    """Return the names in a module if any of IDENTIFIERS is among its words."""
    if IDENTIFIERS.isdisjoint(re.findall(r"\w+", path.read_text(encoding="utf-8"))):
        return set()
    keys = {ast.FunctionDef: "name", ast.ClassDef: "name", ast.Name: "id", ast.arg: "arg"}
    return {getattr(node, keys[type(node)]) for node in ast.walk(ast.parse(path.read_bytes())) if type(node) in keys}


def test_pages_and_code_use_plain_phrases() -> None:
    found = {name_of(path): words_of(path) for path in covered(*SUFFIXES) if path != Path(__file__)}
    wordy = {name: words for name, words in found.items() if words}
    assert wordy == {}, f"{wordy}. Cure: the word of the field, subject first (docs/glossary.md)"


def test_names_are_those_of_the_field() -> None:
    modules = [name_of(path) for path in covered(".py") if path.stem in MODULES]
    assert modules == [], f"{modules}: name a module by what it does"
    pictures = {name_of(path): names_of(path) & IDENTIFIERS for path in covered(".py")}
    assert {name: found for name, found in pictures.items() if found} == {}, "use the word of the field"


def test_a_first_line_is_short() -> None:
    texts = {name_of(path): ast.get_docstring(ast.parse(path.read_bytes())) or "" for path in covered(".py")}
    first = {name: text.partition("\n")[0] for name, text in texts.items()}
    long = {name: line for name, line in first.items() if len(line.split()) > MOST_WORDS}
    assert long == {}, f"{long}: more than {MOST_WORDS} words"


def test_a_phrase_is_found() -> None:
    assert [phrase for phrase in PHRASES if phrase.search("the user is told so by whoever asks.")] != []
