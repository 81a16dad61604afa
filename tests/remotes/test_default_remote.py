"""After `make setup`, what DVC pushes for revisions stays in the clone."""

from pathlib import Path

import pytest

from ops.dvc.fingerprints import file_md5
from tests.ops.trivial import HERE, trivial
from tests.project import ROOT, run

STAGES = (
    "stages:\n  one:\n    cmd: cat params.yaml source.txt > out/one.txt\n    params: [x]\n    outs: [out/one.txt]\n"
)
OUTSIDE = Path("/.dvc/storage")  # where DVC takes the folder of a revision to be


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a repository with the project's configuration, set up as `make setup` does after its installation."""
    files = {name: (ROOT / name).read_text() for name in (".dvc/config", "Makefile", "requirements.txt")}
    content = {**files, "params.yaml": "x: 1\n", "source.txt": f"{tmp_path}\n"}
    folder = trivial(tmp_path / "toy", STAGES, files=content)
    run(["git", "init", "--quiet", "--bare", str(tmp_path / "hub.git")], cwd=tmp_path)
    run(["git", "remote", "add", "origin", str(tmp_path / "hub.git")], cwd=folder)
    set_up(folder)
    return folder


def set_up(folder: Path) -> None:
    run(["make", "--silent", "--old-file=.venv/pipeline.stamp", "setup"], cwd=folder, environment=HERE)


def is_stored(folder: Path) -> bool:
    """Say whether the remote in the clone has the output, and the folder outside has it not."""
    md5 = file_md5(folder / "out/one.txt")
    name = f"files/md5/{md5[:2]}/{md5[2:]}"
    return (folder / ".dvc/storage" / name).is_file() and not (OUTSIDE / name).exists()


def test_an_experiment_is_pushed_into_the_clone(folder: Path) -> None:
    run(["dvc", "exp", "run", "--quiet", "--name", "two", "--set-param", "x=2"], cwd=folder)
    assert not is_stored(folder)
    run(["dvc", "exp", "push", "--quiet", "origin", "two"], cwd=folder)
    assert is_stored(folder)


def test_all_tags_are_pushed_into_the_clone(folder: Path) -> None:
    run(["dvc", "repro", "--quiet"], cwd=folder)
    run(["git", "add", "--all"], cwd=folder)
    run(["git", "commit", "--quiet", "-m", "run"], cwd=folder)
    run(["git", "tag", "v1"], cwd=folder)
    run(["dvc", "push", "--quiet", "--all-tags"], cwd=folder)
    assert is_stored(folder)


def test_an_older_experiment_reaches_another_clone_after_the_remote_moved(folder: Path, tmp_path: Path) -> None:
    run(["dvc", "exp", "run", "--quiet", "--name", "two", "--set-param", "x=2"], cwd=folder)
    run(["git", "checkout", "--quiet", "."], cwd=folder)
    run(["dvc", "remote", "modify", "--quiet", "storage", "url", str(tmp_path / "shared")], cwd=folder)
    run(["git", "commit", "--quiet", "-am", "Share the outputs"], cwd=folder)
    set_up(folder)
    run(["git", "push", "--quiet", "origin", "HEAD:main"], cwd=folder)
    run(["dvc", "exp", "push", "--quiet", "origin", "two"], cwd=folder)
    run(["git", "clone", "--quiet", "--branch", "main", str(tmp_path / "hub.git"), "other"], cwd=tmp_path)
    set_up(tmp_path / "other")
    run(["dvc", "exp", "pull", "--quiet", "origin", "two"], cwd=tmp_path / "other")
    run(["dvc", "exp", "apply", "--quiet", "two"], cwd=tmp_path / "other")
    assert (tmp_path / "other/out/one.txt").read_bytes() == (folder / "out/one.txt").read_bytes()
    assert not (folder / ".dvc/storage").exists()


def test_a_setting_up_again_changes_nothing_and_git_sees_nothing(folder: Path) -> None:
    before = (folder / ".dvc/config.local").read_text()
    assert before == "['remote \"clone\"']\n    url = storage\n"
    set_up(folder)
    assert (folder / ".dvc/config.local").read_text() == before
    assert run(["git", "status", "--porcelain"], cwd=folder).stdout == ""
