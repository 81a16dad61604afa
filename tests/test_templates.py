"""Plot templates use existing fields, and every plot of dvc.yaml has one."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.core.yaml_files import read_yaml

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted((ROOT / ".dvc/plots").glob("*.json"))
PLOTS = {
    name: plot
    for entry in read_yaml(ROOT / "dvc.yaml", cure="").get("plots", [])
    if isinstance(entry, dict)
    for name, plot in entry.items()
}


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings_in(item)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_uses_the_data_and_the_revision_of_dvc(path: Path) -> None:
    words = list(strings_in(json.loads(path.read_text())))
    assert "<DVC_METRIC_DATA>" in words
    assert "<DVC_METRIC_TITLE>" in words
    assert any("rev" in word for word in words)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_reads_nothing_from_a_network(path: Path) -> None:
    words = [word for word in strings_in(json.loads(path.read_text())) if re.match(r"https?://", word)]
    assert words == ["https://vega.github.io/schema/vega-lite/v5.json"]


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_has_its_template_and_one_file_for_both_axes(name: str) -> None:
    plot = PLOTS[name]
    assert (ROOT / f".dvc/plots/{plot['template']}.json").exists()
    assert list(plot["x"]) == list(plot["y"])
