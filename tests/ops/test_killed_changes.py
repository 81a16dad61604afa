"""A killed promotion or rollback is finished or undone by the next call."""

import subprocess
from pathlib import Path

import pytest

from ops.registry.unfinished import NOTE
from tests.ops.toy import assert_done, call, output, promoted_toy, state_of, toy
from tests.project import QUIET, ROOT

pytestmark = pytest.mark.xdist_group("registry")
PROMOTE = ("promote", "--push")
ROLLBACK = ("rollback", "--because", "complaints", "--push")
GROUP = "#!/bin/sh\nkill -9 0\n"
VERB_ALONE = "#!/bin/sh\nread -r _ _ _ verb _ < /proc/$PPID/stat\nkill -9 $verb\n"


def kill_at(hook: str, folder: Path, *words: str, script: str = GROUP) -> None:
    """Run a verb, and kill it with its commands within one of git's hooks."""
    place = (folder.parent / "origin.git" if hook == "post-receive" else folder / ".git") / "hooks" / hook
    place.parent.mkdir(exist_ok=True)
    place.write_text(script)
    place.chmod(0o755)
    with started(folder, *words) as process:
        process.communicate()
    assert process.returncode == -9
    place.unlink()


def started(folder: Path, *words: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["python", "-P", "-m", "ops", *words],
        cwd=folder,
        env={**QUIET, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def assert_promoted(folder: Path) -> None:
    assert output(folder, "git", "log", "-2", "--format=%s").splitlines()[0] == (
        "Promote version 2 of churn over version 1"
    )
    assert output(folder, "git", "tag", "--points-at", "HEAD").split() == ["churn#production#2", "churn@v2.0.0"]
    assert (folder / "models/champion/pipeline.skops").read_text() == '["strong", {"strength": 2}]'
    assert_complete(folder)


def assert_complete(folder: Path) -> None:
    assert output(folder, "git", "rev-list", "--count", "HEAD@{upstream}..HEAD") == "0"
    there = output(folder, "git", "ls-remote", "--tags", "--refs", "origin").split()[1::2]
    assert [name.removeprefix("refs/tags/") for name in there] == output(folder, "git", "tag").split()
    assert output(folder, "git", "status", "--porcelain") == ""
    assert output(folder, "dvc", "status") == "Data and pipelines are up to date."
    assert not (folder / NOTE).exists()


def test_one_that_was_killed_in_a_stage_is_put_back_and_done(tmp_path: Path) -> None:
    here = toy(tmp_path / "base")
    with started(here, *PROMOTE, TOY_WAITS="1") as process:
        assert process.stdout is not None
        assert any("Running stage 'champion'" in line for line in process.stdout)
        process.kill()
    assert output(here, "git", "diff", "--name-only") == "champion.yaml"
    (here / ".dvc/tmp/rwlock").write_text("")  # as a kill within DVC's writing leaves it
    done = assert_done(call(here, *PROMOTE))
    assert done.stderr.splitlines()[0] == "An earlier promote was killed here; its changes are put back."
    assert_promoted(here)


def test_one_that_was_killed_within_git_commit_is_put_back_and_done(tmp_path: Path) -> None:
    here = toy(tmp_path / "base")
    kill_at("pre-commit", here, *PROMOTE)
    assert (here / ".git/index.lock").exists()
    assert "its changes are put back" in assert_done(call(here, *PROMOTE)).stderr
    assert_promoted(here)


@pytest.mark.parametrize(
    ("hook", "script"),
    [("post-commit", VERB_ALONE), ("pre-push", GROUP), ("post-receive", GROUP)],
)
def test_one_that_was_killed_after_its_commit_goes_on_from_there(tmp_path: Path, hook: str, script: str) -> None:
    here = toy(tmp_path / "base")
    kill_at(hook, here, *PROMOTE, script=script)
    commit = output(here, "git", "rev-parse", "HEAD")
    done = assert_done(call(here, *PROMOTE))
    assert f"an earlier promote was killed after its commit {commit[:9]}; this call goes on" in done.stdout
    assert output(here, "git", "rev-parse", "HEAD") == commit
    assert_promoted(here)


def test_one_that_was_killed_between_its_two_tags_goes_on_from_there(tmp_path: Path) -> None:
    here = toy(tmp_path / "base")
    kill_at("pre-push", here, *PROMOTE)
    output(here, "git", "tag", "--delete", "churn#production#2")
    assert_done(call(here, *PROMOTE))
    assert_promoted(here)


def test_a_killed_rollback_goes_back_one_version_and_no_more(tmp_path: Path) -> None:
    here = promoted_toy(tmp_path / "base")
    kill_at("post-commit", here, *ROLLBACK)
    assert_done(call(here, *ROLLBACK))
    assert output(here, "git", "log", "-1", "--format=%s") == "Roll churn back from version 2 to version 1"
    assert output(here, "git", "log", "-1", "--format=%s", "HEAD^") == "Promote version 2 of churn over version 1"
    assert (here / "models/champion/pipeline.skops").read_text() == '["weak", {"strength": 1}]'
    assert_complete(here)


@pytest.mark.parametrize("hook", ["pre-commit", "pre-push"])
def test_another_call_puts_back_what_a_killed_one_left(tmp_path: Path, hook: str) -> None:
    here = promoted_toy(tmp_path / "base")
    before = state_of(here)
    kill_at(hook, here, *ROLLBACK)
    assert state_of(here) != before
    done = call(here, *PROMOTE)
    assert "An earlier rollback was killed here" in done.stderr
    assert "REFUSED: better by enough, challenger is another model" in done.stdout
    assert state_of(here) == before


def test_a_dry_run_shows_what_the_next_call_does(tmp_path: Path) -> None:
    here = toy(tmp_path / "base")
    kill_at("post-commit", here, *PROMOTE)
    done = assert_done(call(here, *PROMOTE, "--dry-run"))
    assert "an earlier promote was killed after its commit" in done.stdout
    assert "WOULD REPLACE version 1 of churn by version 2" in done.stdout
    assert_done(call(here, *PROMOTE))
    assert_promoted(here)


def test_a_killed_proposal_is_there_and_a_later_commit_ends_it(tmp_path: Path) -> None:
    here = toy(tmp_path / "base")
    kill_at("post-commit", here, "promote", "--propose")
    commit = output(here, "git", "rev-parse", "HEAD")
    done = assert_done(call(here, "promote", "--propose"))
    assert f"REPLACED version 1 of churn by version 2, in commit {commit[:9]}" in done.stdout
    assert output(here, "git", "rev-parse", "HEAD") == commit
    assert call(here, "promote", "--propose").returncode == 1  # nothing is in progress
