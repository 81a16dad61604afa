"""The benchmark page's cost of the pipeline: a total is no less than its parts."""

import re

import pytest

from ops.dvc.pipeline import read_stages
from tests.project import ROOT

PAGE = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
TOTAL = "all, with DVC's own"


def seconds_by_part(page: str) -> dict[str, float]:
    """Return the rows of the table of a forced run: the total, and its parts."""
    section = page.partition("## The cost of a forced run\n")[2].partition("\n## ")[0]
    return {name: float(cpu) for name, cpu in re.findall(r"^\| ([^|]+?) \| ([\d.]+) \|", section, re.MULTILINE)}


def check(parts: dict[str, float]) -> None:
    stages = sum(seconds for name, seconds in parts.items() if name != TOTAL)
    assert parts[TOTAL] >= stages, f"the total {parts[TOTAL]} is less than its parts {stages:.1f}"


def test_a_forced_run_costs_at_least_its_stages() -> None:
    check(seconds_by_part(PAGE))


def test_a_total_below_its_parts_is_found() -> None:
    parts = seconds_by_part(PAGE)
    with pytest.raises(AssertionError, match="less than its parts"):
        check({**parts, TOTAL: 40.0})


def test_every_stage_is_a_part() -> None:
    named = {name.partition("@")[0] for part in seconds_by_part(PAGE) for name in part.split(", ")}
    missing = {stage.name for stage in read_stages(ROOT)} - named
    assert not missing, f"the table lacks {missing}"


def test_the_first_table_has_the_same_total() -> None:
    found = re.search(r"all forced: ([\d.]+) CPU s", PAGE)
    assert found is not None
    assert float(found[1]) == seconds_by_part(PAGE)[TOTAL]
