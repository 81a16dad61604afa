"""The whole story, played once: versions, reports, drift, retraining, promotion, rollback, and a clone elsewhere."""

import json
from pathlib import Path

import pytest

from tests.project import QUIET, copy_project, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("story")]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Play the story, and return the folder that it leaves and what it told."""
    project = copy_project(tmp_path_factory.mktemp("story") / "project", settings={})
    folder = project.parent / "played"
    done = run(["python", "-m", "ops", "story", str(folder)], cwd=project, environment=QUIET)
    return folder, done.stdout


@pytest.mark.weekly
def test_the_story_goes_as_it_is_told(told: tuple[Path, str]) -> None:
    folder, text = told
    assert "**merge**" in (folder / "reports/better.md").read_text()
    assert "**stop**" in (folder / "reports/worse.md").read_text()
    assert "The end." in text


@pytest.mark.weekly
def test_it_leaves_every_version_in_the_registry_and_the_first_one_in_production(told: tuple[Path, str]) -> None:
    work = told[0] / "work"
    assert run(["git", "tag", "--list", "subscribers@*"], cwd=work).stdout.split() == [
        "subscribers@v1.0.0",
        "subscribers@v2.0.0",
    ]
    assert run(["python", "-m", "ops", "history", "--check"], cwd=work).returncode == 0
    history = json.loads(run(["python", "-m", "ops", "history", "--json"], cwd=work).stdout)
    assert "complaints about the offers" in json.dumps(history)


@pytest.mark.weekly
def test_a_clone_elsewhere_brought_every_version_back_byte_for_byte(told: tuple[Path, str]) -> None:
    lines = [line for line in told[1].splitlines() if "all byte-identical" in line]
    assert [line.split(":")[0].strip() for line in lines] == ["subscribers@v1.0.0", "subscribers@v2.0.0"]


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = run(["python", "-m", "ops", "story", str(tmp_path)], cwd=Path.cwd(), check=False)
    assert done.returncode == 2
    assert "is not empty" in done.stderr
