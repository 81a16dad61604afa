"""Refusals of tasks, retraining, versions and demos are gone once their cure is applied."""

import json
from functools import partial
from pathlib import Path

import pytest

from lab.task.schema import read_task
from ops.demo.sandbox import check_new
from ops.pack.source import Wanted, found_source
from ops.retrain.command import request_of
from ops.retrain.decision import EndedError
from ops.retrain.lock import retrain_lock
from ops.revisions.snapshot import snapshot_of
from tests.cures import apply_cure, cure_in, hold_to_cure
from tests.ops.github_server import REPOSITORY, TOKEN
from tests.ops.toy import assert_done, call, commit, toy
from tests.project import ROOT, run


def test_a_retraining_starts_from_a_revision_that_has_all_it_needs(tmp_path: Path) -> None:
    run(["git", "init", "--quiet"], cwd=tmp_path)
    task, judgement = tmp_path / "tasks/mine/task.yaml", tmp_path / "ops/retrain/judgement.py"
    (tmp_path / "params.yaml").write_text("task: mine\n")
    without = commit(tmp_path, "No task")
    task.parent.mkdir(parents=True)
    task.write_text("source: {kind: files, tables: {rows: {path: rows.csv}}}\n")
    old = commit(tmp_path, "No judgement")
    judgement.parent.mkdir(parents=True)
    judgement.write_text("")
    task.write_text("source: {kind: files}\n")
    wrong = commit(tmp_path, "A source without tables")
    task.write_text("source: {kind: files, tables: {rows: {path: rows.csv}}}\n")
    good = commit(tmp_path, "All of it")

    def ask(revision: str) -> object:
        return request_of(snapshot_of(revision, root=tmp_path), data=None, settings=())

    for revision, key in (
        (without, "ops/retrain/command.py: name a revision that has one: --base"),
        (old, "ops/retrain/command.py: a newer --base"),
        (wrong, "ops/retrain/command.py: correct it in a commit."),
    ):
        hold_to_cure(key, partial(ask, revision), partial(ask, good))


def test_a_second_retraining_waits_until_the_first_ends(tmp_path: Path) -> None:
    path = tmp_path / "retrain.lock"

    def busy(key: str) -> None:
        with pytest.raises(EndedError) as ended, retrain_lock(path, doing="churn", wait=0):
            pass
        cure_in(ended.value.decision.reasons[0], of=key)

    with retrain_lock(path, doing="churn"):
        busy("ops/retrain/lock.py: wait until it ends, or stop it; no work is lost.")
        path.write_text("")
        busy("ops/retrain/lock.py: wait until it ends.")
    with retrain_lock(path, doing="churn", wait=0):
        assert json.loads(path.read_text())["doing"] == "churn"


@pytest.mark.xdist_group("registry")
def test_a_version_is_found_by_what_the_registry_has(tmp_path: Path) -> None:
    folder = toy(tmp_path / "base")

    def find(*, stage: str | None = None, version: int | None = None, model: str = "champion") -> object:
        return found_source(Wanted("churn", stage, version, None, model), root=folder)

    of_head = partial(found_source, Wanted("churn", None, None, "HEAD", "challenger"), root=folder)
    hold_to_cure(
        "ops/pack/source.py: give one.", partial(find, stage="production", version=1), partial(find, version=1)
    )
    hold_to_cure(
        "ops/pack/source.py: --revision for a challenger.", partial(find, version=1, model="challenger"), of_head
    )
    assert "v1.0.0" in assert_done(call(folder, "history")).stdout
    hold_to_cure(
        "ops/pack/source.py: python -m ops history, or git fetch --tags.",
        partial(find, version=7),
        partial(find, version=1),
    )

    def registered() -> object:
        assert_done(call(folder, "promote", "--register", "--stage", "staging", "--no-push"))
        return find(stage="staging")

    key = "ops/pack/source.py: python -m ops promote --register, or git fetch --tags."
    hold_to_cure(key, partial(find, stage="staging"), registered)


def test_a_task_file_is_corrected_and_its_query_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder, own = Path("tasks/mine"), (ROOT / "tests/own/tasks/churn/task.yaml").read_text()
    query = (ROOT / "tests/own/tasks/churn/features.sql").read_text()
    folder.mkdir(parents=True)

    def read(task: str, moved: str = query) -> object:
        (folder / "task.yaml").write_text(task)
        (folder / "features.sql").write_text(moved)
        return read_task("mine")

    inside = own.replace("\nfeatures:\n", "\nfeatures:\n  query: select 1\n")
    hold_to_cure("lab/task/schema.py: move it there.", partial(read, inside), partial(read, own, "select 1\n"))
    key = "lab/task/schema.py: correct {}; compare it with {}/{}/{}."
    hold_to_cure(key, partial(read, own.replace("label: label", "lable: label")), partial(read, own))


def test_a_demo_needs_a_new_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("")
    key = "ops/demo/sandbox.py: remove it, or name another."
    hold_to_cure(key, partial(check_new, tmp_path), partial(check_new, tmp_path / "another"))
    (tmp_path / "mine.txt").unlink()
    check_new(tmp_path)


def test_the_help_of_post_is_there(tmp_path: Path) -> None:
    done = call(tmp_path, "post", GITHUB_TOKEN=TOKEN, GITHUB_REPOSITORY=REPOSITORY)
    key = "ops/github/command.py: python -m ops post --help"
    shown = apply_cure(done.stderr, "python -m ops post --help", of=key, cwd=tmp_path)
    assert shown.stdout.startswith("Usage: python -m ops post")
