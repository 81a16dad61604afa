"""Dependabot is pointed at everything that is pinned, and at nothing that is not there."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.project import ROOT, run

UPDATES: list[dict[str, Any]] = YAML(typ="safe").load((ROOT / ".github/dependabot.yml").read_text())["updates"]
FOLDERS = {each["package-ecosystem"]: set(each.get("directories", [each.get("directory")])) for each in UPDATES}
PINS = {"docker": "Dockerfile", "npm": "package-lock.json", "pip": "requirements.txt"}


@pytest.mark.parametrize("ecosystem", PINS)
def test_every_folder_with_pins_is_looked_at_and_no_other(ecosystem: str) -> None:
    listed = run(["git", "ls-files", "--", PINS[ecosystem], f"**/{PINS[ecosystem]}"], cwd=ROOT).stdout.splitlines()
    ours = {name.rpartition("/")[0] for name in listed if not name.startswith("benchmarks/")}  # those keep their rivals
    assert {f"/{folder}" for folder in ours} == FOLDERS[ecosystem]


def test_python_packages_move_by_the_lock_alone() -> None:
    (pip,) = (each for each in UPDATES if each["package-ecosystem"] == "pip")
    assert pip["open-pull-requests-limit"] == 0


def test_nothing_is_proposed_on_the_day_it_comes_out() -> None:
    assert all(each["cooldown"]["default-days"] >= 7 for each in UPDATES)
