"""The pages in docs/ agree with the code."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lab.search.space import Range, Space
from lab.train.candidates import candidate_of
from lab.train.estimators import ESTIMATORS, with_defaults
from ops.verbs import VERBS
from tests.project import ROOT

DOCS = sorted((ROOT / "docs").rglob("*.md"))
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "AGENTS.md", ".github/PULL_REQUEST_TEMPLATE.md")]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
GLOSSARY = (ROOT / "docs/glossary.md").read_text()
TRAINING = (ROOT / "docs/training.md").read_text()
TABLE = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| [^|]+ \| ([^|]+) \|$", TRAINING, flags=re.MULTILINE)


def combinations(space: Space) -> int:
    count = 1
    for dimension in space.values():
        count *= dimension.points if isinstance(dimension, Range) else len(dimension)
    return count if space else 0


def test_every_estimator_is_described_with_the_size_of_its_grid() -> None:
    described: dict[str, int] = {}
    for names, sizes in TABLE:
        listed, counts = re.findall(r"`(\w+)`", names), [0 if size == "–" else int(size) for size in sizes.split(", ")]
        described |= dict(zip(listed, counts * len(listed) if len(counts) == 1 else counts, strict=False))
    assert described == {name: combinations(recipe.space) for name, recipe in ESTIMATORS.items()}


def test_the_example_of_a_candidate_is_valid() -> None:
    shown = re.search(r"```yaml\n(.*?)```", TRAINING, flags=re.DOTALL)
    assert shown is not None
    candidates = YAML(typ="safe").load(shown.group(1))["train"]["candidates"]
    candidate = candidate_of("boosting", candidates)
    assert with_defaults(candidate.specification, where="docs").settings["trees"] == 150
    assert set(type(candidate).model_fields) == {*candidates["boosting"]}


def test_every_method_of_search_is_described() -> None:
    table = TRAINING.partition("| `search.method` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) == ["none", "grid", "random", "halving", "bayesian"]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_point_to_files(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_the_site_has_every_page() -> None:
    index = (ROOT / "docs/index.md").read_text()
    pages = {page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in DOCS} - {"index"}
    named = {line for block in re.findall(r"```{toctree}\n(.*?)```", index, flags=re.DOTALL) for line in block.split()}
    assert pages - named == {page for page in pages if page.startswith("decisions/")}


def test_the_paths_that_the_architecture_names_exist() -> None:
    named = re.findall(r"`((?:lab|ops|stages|serving|tests|tasks|docs|deploy|benchmarks)/[\w./-]*)`", ARCHITECTURE)
    assert len(named) > 30
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_each_term_of_the_glossary_stands_once() -> None:
    rows = re.findall(r"^\| ([^|]+?) \| [^-|]", GLOSSARY, flags=re.MULTILINE)
    each = [term for row in rows for term in row.split(", ") if row != "term"]
    assert len(each) > 50
    assert sorted(set(each)) == sorted(each)


@pytest.mark.parametrize("page", [*TOP, *DOCS], ids=lambda page: page.name)
def test_the_verbs_and_options_that_a_page_names_exist(page: Path) -> None:
    for verb, rest in re.findall(r"python -m ops ([a-z]+)((?: [^`\n#]*)?)", page.read_text()):
        assert verb in VERBS, verb
        command = getattr(import_module(VERBS[verb].module), verb)
        known = {"--help"}.union(*(parameter.opts + parameter.secondary_opts for parameter in command.params))
        assert set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", rest)) <= known, f"python -m ops {verb}{rest}"


@pytest.mark.parametrize("page", [*TOP, *DOCS], ids=lambda page: page.name)
def test_the_targets_of_make_that_a_page_names_exist(page: Path) -> None:
    assert set(re.findall(r"`make ([a-z-]+)", page.read_text())) <= TARGETS
