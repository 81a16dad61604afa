"""`-S` works as in `dvc exp run`, and changes no other line of params.yaml."""

import difflib
import shutil
from pathlib import Path

import pytest
from hydra.errors import HydraException

from ops.dvc.overrides import parse_override, write_overrides
from tests.project import ROOT


@pytest.fixture
def params(tmp_path: Path) -> Path:
    return Path(shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml"))


def changed_lines(path: Path) -> list[str]:
    """Return the lines that came and went against the params.yaml of the repository."""
    before, after = (each.read_text().splitlines() for each in (ROOT / "params.yaml", path))
    changes = difflib.unified_diff(before, after, n=0, lineterm="")
    return [line for line in changes if line[0] in "+-" and not line.startswith(("+++", "---"))]


def test_a_setting_changes_one_line(params: Path) -> None:
    write_overrides(params, ["seed=7"])
    old, new = changed_lines(params)
    assert (old[:6], new) == ("-seed:", "+seed: 7")


def test_a_setting_deep_inside_changes_one_line(params: Path) -> None:
    write_overrides(params, ["train.candidates.boosting.settings.learning_rate=0.0123"])
    old, new = changed_lines(params)
    assert "learning_rate:" in old
    assert new == f"+{old[1:].split('learning_rate')[0]}learning_rate: 0.0123"


def test_a_word_is_parsed_as_hydra_parses_it() -> None:
    override = parse_override("train.learning_rate=0.1,0.2")
    assert override.get_key_element() == "train.learning_rate"
    assert list(override.sweep_string_iterator()) == ["0.1", "0.2"]
    with pytest.raises(HydraException, match=r"mismatched input|no viable|extraneous|token recognition"):
        parse_override("train={")
