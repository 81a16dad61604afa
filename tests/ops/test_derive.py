"""A revision's outputs come into the cache: present, fetched, or run again."""

import json
import shutil
from pathlib import Path

import pytest

from lab.core.errors import SourceError
from ops.dvc.repository import open_repository
from ops.dvc.stores import cache_of
from ops.revisions.derivation import FETCHED, HELD, RUN, derive, holds
from ops.revisions.snapshot import snapshot_of
from tests.project import run

pytestmark = pytest.mark.slow

OUTPUT = "data/predictions"
# Its output depends on its setting, and on a file that no stage should read.
STAGE = """\
import pathlib, sys
folder = pathlib.Path("data/predictions")
folder.mkdir(parents=True, exist_ok=True)
world = pathlib.Path(sys.argv[1])
(folder / "test.txt").write_text(pathlib.Path("params.yaml").read_text() + world.read_text())
with world.with_name("runs").open("a") as runs:
    runs.write("x")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with two revisions, `first` and main, whose outputs are in the cache and on the remote."""
    folder = tmp_path_factory.mktemp("derive")
    (folder / "world").write_text("blue")
    root = folder / "repository"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc/config").write_text("[core]\n    remote = storage\n['remote \"storage\"']\n    url = storage\n")
    (root / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n/storage\n")
    (root / ".gitignore").write_text("/data\n")
    (root / "stage.py").write_text(STAGE)
    (root / "dvc.yaml").write_text(
        f"stages:\n  predict:\n    cmd: python stage.py {folder / 'world'}\n    deps: [stage.py]\n"
        f"    params: [shade]\n    outs: [{OUTPUT}]\n"
    )
    run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=root)
    for shade in ("light", "dark"):
        (root / "params.yaml").write_text(f"shade: {shade}\n")
        run(["dvc", "repro", "--quiet"], cwd=root)
        run(["dvc", "push", "--quiet"], cwd=root)
        run(["git", "add", "--all"], cwd=root)
        run(["git", "commit", "--quiet", "-m", shade], cwd=root)
        run(["git", "tag", shade], cwd=root)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return a private copy, with a world of its own for what is run again."""
    copy: Path = shutil.copytree(made, tmp_path / "copy")
    (made / "runs").write_text("")
    return copy


def runs(made: Path) -> int:
    return len((made / "runs").read_text())


def object_of(root: Path, md5: str) -> Path:
    return root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def test_what_the_cache_holds_is_not_looked_for(made: Path, folder: Path) -> None:
    shutil.rmtree(folder / "repository/.dvc/storage")
    found = derive("light", outputs=[OUTPUT], root=folder / "repository")
    assert (found.how, found.differing, runs(made)) == (HELD, (), 0)


def test_what_the_remote_has_is_fetched(made: Path, folder: Path) -> None:
    shutil.rmtree(folder / "repository/.dvc/cache")
    found = derive("light", outputs=[OUTPUT], root=folder / "repository")
    assert (found.how, found.differing, runs(made)) == (FETCHED, (), 0)
    assert derive("light", outputs=[OUTPUT], root=folder / "repository").how == HELD


@pytest.mark.parametrize("lost", ["", ".dir"])
def test_a_folder_is_held_only_with_each_of_its_files(folder: Path, lost: str) -> None:
    root = folder / "repository"
    item = snapshot_of("light", root=root).lock["predict"].outputs[OUTPUT]
    cache = cache_of(open_repository(root))
    assert holds(cache, item)
    listing = item.md5 if lost else json.loads(object_of(root, item.md5).read_bytes())[0]["md5"]
    object_of(root, listing).unlink()
    assert not holds(cache, item)


def test_what_neither_has_is_run_again_and_leaves_the_clone_as_it_was(made: Path, folder: Path) -> None:
    root = folder / "repository"
    shutil.rmtree(root / ".dvc/storage")
    shutil.rmtree(root / ".dvc/cache")
    (root / "params.yaml").write_text("shade: not yet committed\n")
    found = derive("light", outputs=[OUTPUT], root=root)
    assert (found.how, found.differing, runs(made)) == (RUN, (), 1)
    assert derive("light", outputs=[OUTPUT], root=root).how == HELD
    assert run(["git", "status", "--porcelain"], cwd=root).stdout == " M params.yaml\n"
    assert "dark" in (root / OUTPUT / "test.txt").read_text()


def test_other_bytes_than_the_lock_records_are_named(made: Path, folder: Path) -> None:
    shutil.rmtree(folder / "repository/.dvc/storage")
    shutil.rmtree(folder / "repository/.dvc/cache")
    (made / "world").write_text("green")
    try:
        found = derive("light", outputs=[OUTPUT], root=folder / "repository")
    finally:
        (made / "world").write_text("blue")
    assert found.differing == (OUTPUT,)


def test_an_output_that_no_stage_writes_is_refused(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"data/model is no output at light: found \['data/predictions'\]"):
        derive("light", outputs=["data/model"], root=folder / "repository")
