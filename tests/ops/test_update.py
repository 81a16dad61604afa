"""`python -m ops update` between two versions of a copy of this repository."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.core.errors import LabError
from lab.core.yaml_files import read_yaml
from ops.update.command import update
from ops.update.merge import UpdateError
from tests.cures import apply_cure, cure_in
from tests.history import commit_all
from tests.project import QUIET, copy_project, run

WORK_FIRST = "ops/update/command.py: git add --all && git commit -m 'Work before the update'"
DECIDE = "ops/update/merge.py: {}; edit these files, then git add --all && git commit --no-"
CODE = "lab/core/errors.py"
FIRST = {
    "README.md": """# Template

<!-- question:begin --> Who? <!-- question:end -->

<!-- answer:begin -->
Results of the samples.
<!-- answer:end -->

## First

One.

## Second

Two.
""",
    "lab/world/build.py": "1\n",
    "stages/world.py": "1\n",
    "metrics/a.json": "{}\n",
    "dvc.lock": "a\n",
}
OWN = {
    "dvc.lock": "schema: '2.0'\n",
    "metrics/a.json": '{"mine": 1}\n',
    "docs/answer.svg": "<svg>mine</svg>\n",
    "tasks/mine/notes.md": "Mine.\n",
    "lab/ours.py": '"""Mine."""\n',
}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the `template` in two versions, and `mine`, which adopted the first and went on."""
    base = tmp_path_factory.mktemp("update")
    template, mine = copy_project(base / "template"), base / "mine"
    write(template, FIRST)
    replace(template, "dvc.yaml", "stages:\n", "stages:\n  world:\n    cmd: python -m stages.world\n\n")
    replace(template, "params.yaml", "\nprepare:\n", "\nworld:\n  customers: 9\nprepare:\n")
    commit_all(template, "First version")
    run(["git", "branch", "--move", "main"], cwd=template)
    run(["git", "clone", "--quiet", str(template), str(mine)], cwd=base)
    for kind in ("tasks", "data/source"):
        shutil.copytree(mine / kind / "table", mine / kind / "mine")
    run(["python", "-m", "ops", "adopt", "mine", "--title", "Who leaves?"], cwd=mine)
    write(mine, OWN)
    replace(mine, "params.yaml", "seed: 2024", "seed: 7")
    replace(mine, "README.md", "Two.", "Two.\n\nAsk Kim.")
    commit_all(mine, "Adopt the repository")
    write_second_version(template)
    return base


def write_second_version(template: Path) -> None:
    replace(template, "params.yaml", "\nfeaturize:\n", "\nnew_section: 1\nfeaturize:\n")
    replace(template, "dvc.yaml", "  world:\n", "  # New words.\n  world:\n")
    replace(template, "dvc.yaml", "  card:\n", "  # New words.\n  card:\n")
    replace(template, "README.md", "One.", "One, in short.")
    replace(template, "README.md", "answer:begin -->", "answer:begin -->\nNew results of the samples.\n")
    replace(template, "tasks/churn/task.yaml", "source:", "# New.\nsource:")
    for name in ("lab/world/build.py", "stages/world.py", "dvc.lock", "metrics/a.json", "docs/answer.svg"):
        write(template, {name: "second\n"})
    new = ("lab/world/new.py", "lab/new.py", "tasks/new/task.yaml", "metrics/new.json", "docs/new.md")
    write(template, dict.fromkeys(new, "new\n"))
    run(["git", "mv", CODE, "lab/core/failures.py"], cwd=template)
    commit_all(template, "Second version")


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)


def replace(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text, (name, old)
    (folder / name).write_text(text.replace(old, new, 1))


@pytest.fixture(autouse=True)
def mine(repositories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(repositories / "mine", tmp_path / "mine", symlinks=True)
    monkeypatch.chdir(tmp_path / "mine")
    for name, value in QUIET.items():
        if name.startswith("GIT_"):
            monkeypatch.setenv(name, value)
    return tmp_path / "mine"


def updated(*options: str) -> str:
    done = CliRunner().invoke(update, ["origin", "main", "--merge-only", *options])
    if isinstance(done.exception, LabError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def status() -> str:
    return run(["git", "status", "--porcelain"], cwd=Path()).stdout


def test_a_new_version_comes_and_what_is_the_owners_stays() -> None:
    before = {name: Path(name).read_text() for name in (*OWN, "tasks/mine/task.yaml", "champion.yaml")}
    assert "git reset --hard" in updated()
    assert status() == ""
    assert {name: Path(name).read_text() for name in before} | {"docs/answer.svg": ""} == before | {
        "docs/answer.svg": ""
    }
    params = read_yaml(Path("params.yaml"), cure="")
    assert (params["task"], params["seed"], params["new_section"], "world" in params) == ("mine", 7, 1, False)
    pipeline = read_yaml(Path("dvc.yaml"), cure="")
    assert (list(pipeline["artifacts"]), {"world", "world_traffic"} & set(pipeline["stages"])) == (["mine"], set())
    assert "  # New words.\n  card:\n" in Path("dvc.yaml").read_text()
    readme = Path("README.md").read_text()
    assert readme.startswith("# Who leaves?\n")
    assert "Two.\n\nAsk Kim.\n" in readme
    assert "One, in short." in readme
    assert "New results of the samples" not in readme
    assert all(Path(name).exists() for name in ("lab/new.py", "lab/core/failures.py", "docs/new.md"))
    gone = ("lab/world", "stages/world.py", "tasks/churn", "tasks/new", "metrics/new.json", CODE)
    assert [name for name in gone if Path(name).exists()] == []
    assert run(["git", "log", "-1", "--format=%s"], cwd=Path()).stdout.startswith("Update to main (")
    assert updated().startswith("Nothing to update")


def test_a_conflict_changes_nothing_and_can_be_left_to_decide(mine: Path) -> None:
    write(mine, {"docs/new.md": "mine\n"})
    commit_all(mine, "Write a page")
    head = run(["git", "rev-parse", "HEAD"], cwd=mine).stdout
    with pytest.raises(UpdateError, match=r"both sides changed docs/new.md\. The merge was undone") as refused:
        updated()
    assert (status(), run(["git", "rev-parse", "HEAD"], cwd=mine).stdout) == ("", head)
    assert "Cure: python -m ops update origin main --leave-conflicts;" in cure_in(str(refused.value), of=DECIDE)
    with pytest.raises(UpdateError, match=r"conflicts are left in docs/new.md"):
        updated("--leave-conflicts")
    write(mine, {"docs/new.md": "both\n"})
    commit_all(mine, "Merge")
    assert updated().startswith("Nothing to update")


def test_uncommitted_work_is_refused(mine: Path) -> None:
    write(mine, {"notes.txt": "mine"})
    with pytest.raises(UpdateError, match=r"uncommitted changes: notes.txt; expected none") as refused:
        updated()
    command = "git add --all && git commit -m 'Work before the update'"
    apply_cure(str(refused.value), command, of=WORK_FIRST, cwd=mine)
    updated()


def test_a_repository_of_another_history_is_refused(mine: Path, tmp_path: Path) -> None:
    run(["git", "init", "--quiet", "-b", "main", str(tmp_path / "other")], cwd=tmp_path)
    commit_all(tmp_path / "other", "Start")
    with pytest.raises(LabError, match="found no common commit"):
        CliRunner().invoke(update, [str(tmp_path / "other")], standalone_mode=False, catch_exceptions=False)
    assert status() == ""
