"""What docs/ say of the code is what the code does."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lab.search.space import Range, Space
from lab.train.candidates import candidate_of
from lab.train.estimators import ESTIMATORS, completed
from tests.project import ROOT

DOCS = sorted((ROOT / "docs").glob("*.md"))
TRAINING = (ROOT / "docs/training.md").read_text()
TABLE = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| [^|]+ \| ([^|]+) \|$", TRAINING, flags=re.MULTILINE)


def combinations(space: Space) -> int:
    count = 1
    for dimension in space.values():
        count *= dimension.points if isinstance(dimension, Range) else len(dimension)
    return count if space else 0


def test_every_estimator_is_described_with_the_size_of_its_grid() -> None:
    told: dict[str, int] = {}
    for names, sizes in TABLE:
        listed, counts = re.findall(r"`(\w+)`", names), [0 if size == "–" else int(size) for size in sizes.split(", ")]
        told |= dict(zip(listed, counts * len(listed) if len(counts) == 1 else counts, strict=False))
    assert told == {name: combinations(recipe.space) for name, recipe in ESTIMATORS.items()}


def test_the_candidate_that_is_shown_is_one() -> None:
    shown = re.search(r"```yaml\n(.*?)```", TRAINING, flags=re.DOTALL)
    assert shown is not None
    candidates = YAML(typ="safe").load(shown.group(1))["train"]["candidates"]
    candidate = candidate_of("boosting", candidates)
    assert completed(candidate.specification, where="docs").settings["trees"] == 150
    assert set(type(candidate).model_fields) == {*candidates["boosting"]}


def test_every_method_of_search_is_described() -> None:
    table = TRAINING.partition("| `search.method` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) == ["none", "grid", "random", "halving", "bayesian"]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link
