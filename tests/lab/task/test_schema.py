"""Task folders: file, query, and messages for a wrong name or the old format."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.core.errors import ParamsError
from lab.task.schema import read_task, task_names
from ops.__main__ import application
from tests.project import OWN, ROOT

QUERY = "-- Who buys?\nselect 1 as a\n\nfrom sales\n"
OLD = """\
features:
  unit: [customer_id]
  query: |-
    -- Who buys?
    select 1 as a

    from sales

money: {}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(OWN / "tasks", tmp_path / "tasks")
    return tmp_path


def test_the_query_comes_from_the_sql_file(folder: Path) -> None:
    query = (folder / "tasks/churn/features.sql").read_text()
    assert read_task("churn").features.query == query.removesuffix("\n")


def test_a_typo_lists_the_tasks_and_suggests_the_nearest(folder: Path) -> None:
    names = ", ".join(map(repr, task_names()))
    with pytest.raises(ParamsError, match=rf"tasks/chrun/task.yaml is missing, .*\[{names}\].*Did you mean churn\?"):
        read_task("chrun")


def test_a_query_in_the_task_file_is_refused(folder: Path) -> None:
    path = folder / "tasks/churn/task.yaml"
    path.write_text(path.read_text().replace("features:\n", "features:\n  query: select 1\n"))
    with pytest.raises(ParamsError, match=r"query is text in YAML, expected the file tasks/churn/features.sql"):
        read_task("churn")


def test_the_old_format_is_refused_with_the_command_that_converts_it(folder: Path) -> None:
    before = read_task("churn")
    content, query = ((folder / "tasks/churn" / name).read_text() for name in ("task.yaml", "features.sql"))
    inline = "\n".join(f"    {line}" if line else "" for line in query.removesuffix("\n").split("\n"))
    old = content.replace("features:\n", f"features:\n  query: |-\n{inline}\n", 1)
    shutil.rmtree(folder / "tasks/churn")
    (folder / "tasks/churn.yaml").write_text(old)
    with pytest.raises(
        ParamsError, match=r"old format, expected tasks/churn/task.yaml. Cure: python -m ops init --move"
    ):
        read_task("churn")
    assert CliRunner().invoke(application, ["init", "--move", "churn"]).exit_code == 0
    assert read_task("churn") == before
    assert ((folder / "tasks/churn/task.yaml").read_text(), (folder / "tasks/churn/features.sql").read_text()) == (
        content,
        query,
    )


def test_moving_keeps_the_lines_after_the_query_apart(folder: Path) -> None:
    (folder / "tasks/old.yaml").write_text(OLD)
    assert CliRunner().invoke(application, ["init", "--move", "old"]).exit_code == 0
    assert (folder / "tasks/old/features.sql").read_text() == QUERY
    assert (folder / "tasks/old/task.yaml").read_text() == "features:\n  unit: [customer_id]\n\nmoney: {}\n"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in (ROOT / "tasks").glob("*/task.yaml")))
def test_every_task_of_the_repository_is_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert read_task(name).features.question
