"""`python -m ops adopt` on a copy of this repository."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from lab.core.errors import LabError, ParamsError
from lab.core.yaml_files import read_yaml
from lab.task.schema import task_names
from ops.adopt.changes import WORLD
from ops.adopt.command import adopt
from ops.adopt.readme import OF_SAMPLES
from tests.cures import apply_cure
from tests.history import commit_all
from tests.project import ROOT, copy_project, run

TASK = Path("tasks/table/task.yaml")
KEY = "ops/adopt/command.py: git add --all && git commit -m 'Work before the adoption'"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a committed copy with results, the pipeline of the sample tasks, and a place of the synthetic data."""
    folder = copy_project(tmp_path_factory.mktemp("adopt") / "clone")
    for name in ("dvc.yaml", "params.yaml", "tests/cures_not_applied.txt"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("metrics/a.json", "dvc.lock", "lab/world/build.py", "stages/world.py"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text("{}\n")
    commit_all(folder, "Complete the clone")
    return folder


@pytest.fixture(autouse=True)
def repository(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(clone, tmp_path / "clone", symlinks=True)
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


def adopted(*options: str) -> str:
    done = CliRunner().invoke(adopt, options)
    if isinstance(done.exception, LabError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def status() -> str:
    return run(["git", "status", "--porcelain"], cwd=Path()).stdout


def read(name: str) -> dict[str, Any]:
    return read_yaml(Path(name), cure="")


def test_an_adopted_clone_has_one_task_and_no_trace_of_the_samples(repository: Path) -> None:
    shown = adopted("table", "--title", "Who leaves?")
    assert (task_names(), read("params.yaml")["task"], "world" in read("params.yaml")) == (["table"], "table", False)
    assert list(read("dvc.yaml")["artifacts"]) == ["table"]
    assert not {"world", "world_traffic"} & set(read("dvc.yaml")["stages"])
    assert not [path for path in (*WORLD, "dvc.lock", "metrics", "data/source/churn") if Path(path).exists()]
    readme = Path("README.md").read_text()
    assert readme.startswith("# Who leaves?\n")
    assert "have churned = Yes?" in readme
    assert not re.search("high_value_sale|subscribers.csv|synthetic|Gates|own table|this customer|comment.png", readme)
    assert {line[3:] for line in status().splitlines()} >= {"params.yaml", "dvc.yaml", "README.md", "dvc.lock"}
    assert all(line.split()[1] in shown for line in status().splitlines() if line.startswith(" M"))
    run(["dvc", "repro", "--quiet", "task"], cwd=repository)
    assert Path("data/task/gates.json").exists()


README = (ROOT / "README.md").read_text()


@pytest.mark.skipif("## Bring your own data" not in README, reason="this repository is adopted")
@pytest.mark.parametrize("pattern", OF_SAMPLES)
def test_the_readme_has_each_text_that_an_adoption_replaces(pattern: str) -> None:
    assert re.search(pattern, README, flags=re.MULTILINE)


def test_a_dry_run_lists_the_same_and_changes_nothing() -> None:
    listed = adopted("table", "--dry-run").splitlines()[:-1]
    assert status() == ""
    assert adopted("table").splitlines()[: len(listed)] == listed


def test_samples_are_kept_on_request() -> None:
    before = task_names()
    adopted("table", "--keep-samples")
    assert task_names() == before
    assert set(read("dvc.yaml")["artifacts"]) >= {"table"}
    assert Path("lab/world/build.py").exists()


def test_comments_and_form_of_the_settings_stay() -> None:
    before = Path("params.yaml").read_text()
    adopted("table", "--keep-samples")
    after = Path("params.yaml").read_text()
    assert after == re.sub("^task: .*$", "task: table", before, flags=re.MULTILINE)
    assert YAML().load(after)["task"] == "table"


def test_uncommitted_work_is_refused_and_the_task_itself_may_be_new(repository: Path) -> None:
    Path("notes.txt").write_text("mine")
    with pytest.raises(ParamsError, match=r"uncommitted changes: notes.txt; expected none") as refused:
        adopted("table")
    assert status() == "?? notes.txt\n"
    command = "git add --all && git commit -m 'Work before the adoption'"
    apply_cure(str(refused.value), command, of=KEY, cwd=repository)
    shutil.copytree("tasks/table", "tasks/mine")
    shutil.copytree("data/source/table", "data/source/mine")
    adopted("mine")
    assert task_names() == ["mine"]


def test_a_task_of_the_synthetic_data_is_refused() -> None:
    made = re.sub(r"source:\n(  .*\n)+", "source: {kind: synthetic}\n", TASK.read_text())
    TASK.write_text(made)
    with pytest.raises(ParamsError, match="uses the synthetic data"):
        adopted("table")
    assert status() == f" M {TASK}\n"
