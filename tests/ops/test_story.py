"""The whole story runs once, from the first version to another clone."""

import json
from pathlib import Path

import pytest

from tests.project import QUIET, copy_project, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("story")]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the story, and return its folder and its output."""
    project = copy_project(tmp_path_factory.mktemp("story") / "project", settings={})
    folder = project.parent / "played"
    done = run(["python", "-m", "ops", "story", str(folder)], cwd=project, environment=QUIET)
    return folder, done.stdout


@pytest.mark.weekly
def test_the_story_goes_as_it_is_told(story: tuple[Path, str]) -> None:
    folder, text = story
    assert "**merge**" in (folder / "reports/better.md").read_text()
    assert "**stop**" in (folder / "reports/worse.md").read_text()
    assert "The end." in text


@pytest.mark.weekly
def test_it_leaves_every_version_in_the_registry_and_the_first_one_in_production(story: tuple[Path, str]) -> None:
    work = story[0] / "work"
    assert run(["git", "tag", "--list", "subscribers@*"], cwd=work).stdout.split() == [
        "subscribers@v1.0.0",
        "subscribers@v2.0.0",
    ]
    assert run(["python", "-m", "ops", "history", "--check"], cwd=work).returncode == 0
    history = json.loads(run(["python", "-m", "ops", "history", "--json"], cwd=work).stdout)
    assert "complaints about the offers" in json.dumps(history)


@pytest.mark.weekly
def test_a_clone_elsewhere_brought_every_version_back_byte_for_byte(story: tuple[Path, str]) -> None:
    lines = [line for line in story[1].splitlines() if "all byte-identical" in line]
    assert [line.split(":")[0].strip() for line in lines] == ["subscribers@v1.0.0", "subscribers@v2.0.0"]


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = run(["python", "-m", "ops", "story", str(tmp_path)], cwd=Path.cwd(), check=False)
    assert done.returncode == 2
    assert "is not empty" in done.stderr
