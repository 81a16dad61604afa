"""`python -m ops resolve`: few stages run after a merge, and results are right."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.resolve.command import resolve
from ops.resolve.conflict import Conflict, ForeignConflictError, Side, find_conflict
from ops.resolve.settle import Settling, write_lock
from ops.revisions.lock import entries_of
from ops.verify.checks import check_all, lock_is_fresh
from ops.verify.state import State
from tests.history import commit_all, copy_of_history
from tests.ops.four_stages import (
    PARAMS,
    call,
    commit,
    copy_of,
    make_four_stages,
    ran,
    repro,
    set_params,
    write,
)
from tests.project import QUIET, ROOT, files_below, lock_of, run

RESULTS = ("metrics", "plots")
INDEX = ["git", "ls-files", "--stage"]


def with_weights(settings: Mapping[str, Any] = PARAMS, **weights: int) -> dict[str, Any]:
    candidates = {name: {"weight": weights.get(name, body["weight"])} for name, body in PARAMS["candidates"].items()}
    return {**settings, "candidates": candidates}


# One setting, or two, of a branch that ran its stages.
BRANCHES: dict[str, dict[str, Any]] = {
    "low": with_weights(low=2),
    "mid": with_weights(mid=6),
    "best": with_weights(mid=99),
    "seed": {**PARAMS, "seed": 5},
    "badly": {**PARAMS, "told": "badly"},
    "badly_and_low": with_weights({**PARAMS, "told": "badly"}, low=2),
    "badly_and_best": with_weights({**PARAMS, "told": "badly"}, mid=99),
    "extra": {**PARAMS, "candidates": {**PARAMS["candidates"], "extra": {"weight": 3}}},
    "without_low": {**PARAMS, "candidates": {name: PARAMS["candidates"][name] for name in ("mid", "high")}},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the repository with every branch run and committed; main and mid are pushed."""
    folder = make_four_stages(tmp_path_factory.mktemp("four") / "made")
    for branch, settings in BRANCHES.items():
        run(["git", "checkout", "--quiet", "-b", branch, "main"], cwd=folder)
        set_params(folder, settings)
        for left in {path.name for path in (folder / "models").iterdir()} - set(settings["candidates"]):
            shutil.rmtree(folder / "models" / left)
            (folder / f"metrics/fit/{left}.json").unlink(missing_ok=True)
        repro(folder)
        commit(folder, branch)
        if branch == "mid":
            run(["dvc", "push", "--quiet"], cwd=folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a private copy, as the working directory."""
    folder = copy_of(made, tmp_path / "folder")
    monkeypatch.chdir(folder)
    return folder


def merge(folder: Path, ours: str, theirs: str) -> None:
    """Merge one branch into another, which ends in a conflict; the working tree has the data of ours."""
    run(["git", "checkout", "--quiet", "--force", ours], cwd=folder)
    run(["dvc", "checkout", "--quiet", "--force"], cwd=folder)
    done = run(["git", "merge", theirs], cwd=folder, check=False)
    assert done.returncode == 1, done.stdout
    assert "CONFLICT" in done.stdout
    (folder / "ran.log").unlink(missing_ok=True)


def call_resolve(*arguments: str) -> Result:
    """Call the verb in this process, in the working directory."""
    return CliRunner().invoke(resolve, [*arguments], standalone_mode=True)


def resolved(folder: Path) -> dict[str, list[str]]:
    """Resolve, which must say yes, and leave what is fresh and added to git; return how each stage was settled."""
    done = call_resolve("--json")
    assert done.exit_code == 0, done.output
    assert not run(["git", "ls-files", "--unmerged"], cwd=folder).stdout
    assert not run(["git", "diff", "--name-only"], cwd=folder).stdout
    assert lock_is_fresh(State(folder)).passed
    document: dict[str, list[str]] = json.loads(done.stdout)
    assert document["ran"] == [name.replace(" ", "@") for name in ran(folder)]
    return {name: document[name] for name in ("ours", "theirs", "here", "ran") if document[name]}


def hold_to_a_run_from_nothing(folder: Path) -> None:
    """Hold dvc.lock and all results against a plain `dvc repro` of the same files with nothing to start from."""
    assert run(["dvc", "status", "--quiet"], cwd=folder, check=False).returncode == 0
    bare = folder.parent / "bare"
    for name in run(["git", "ls-files"], cwd=folder).stdout.splitlines():
        if not name.startswith(("dvc.lock", *RESULTS)):
            (bare / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / name, bare / name)
    run(["git", "init", "--quiet"], cwd=bare)
    repro(bare)
    assert lock_of(folder) == lock_of(bare)
    for results in RESULTS:
        assert files_below(folder / results) == files_below(bare / results)


def test_two_branches_that_changed_different_candidates_train_neither_again(folder: Path) -> None:
    merge(folder, "low", "mid")
    assert resolved(folder) == {"ours": ["fit@low"], "theirs": ["fit@mid"], "ran": ["choose"]}
    hold_to_a_run_from_nothing(folder)


def test_a_stage_behind_one_that_ran_is_taken_where_it_fits_what_came_out(folder: Path) -> None:
    merge(folder, "low", "best")
    assert resolved(folder) == {"ours": ["fit@low"], "theirs": ["fit@mid", "tell"], "ran": ["choose"]}
    hold_to_a_run_from_nothing(folder)


def test_a_stage_is_taken_from_ours_where_theirs_changed_nothing_that_it_reads(folder: Path) -> None:
    merge(folder, "badly_and_low", "seed")
    assert resolved(folder) == {"ours": ["fit@low", "choose"], "theirs": ["make"], "ran": ["tell"]}
    assert (folder / "data/made/right.txt").read_text() == "rows 5\n"
    hold_to_a_run_from_nothing(folder)


def test_a_result_in_conflict_is_put_right_from_the_side_that_is_taken(folder: Path) -> None:
    merge(folder, "badly", "badly_and_best")
    assert "<<<<<<<" in (folder / "metrics/tell.json").read_text()
    found = resolved(folder)
    assert "ran" not in found
    assert json.loads((folder / "metrics/tell.json").read_text())["chosen"] == "mid"
    assert (folder / "plots/choose/mid.csv").read_text().startswith("99 ")


def test_outputs_of_a_stage_that_is_no_more_are_not_read_again(folder: Path) -> None:
    merge(folder, "badly_and_best", "without_low")
    assert resolved(folder) == {"ours": ["fit@mid", "tell"], "ran": ["choose"]}
    assert not (folder / "models/low").exists()
    assert "fit@low" not in lock_of(folder)
    hold_to_a_run_from_nothing(folder)


@pytest.mark.parametrize("storage", ["on the remote", "nowhere"])
def test_what_the_cache_has_lost_is_pulled_or_else_run_again(folder: Path, storage: str) -> None:
    merge(folder, "low", "mid")
    shutil.rmtree(folder / ".dvc/cache")
    if storage == "nowhere":
        shutil.rmtree(folder / ".dvc/storage")
        assert call_resolve().exit_code == 0
        assert set(ran(folder)) >= {"choose", "fit mid"}
    else:
        assert resolved(folder)["ran"] == ["choose"]
    assert lock_is_fresh(State(folder)).passed


def test_conflicts_in_settings_are_refused_and_nothing_is_touched(folder: Path) -> None:
    run(["git", "checkout", "--quiet", "mid"], cwd=folder)
    merge(folder, "mid", "best")
    before = (files_below(folder), run(INDEX, cwd=folder).stdout)
    with pytest.raises(ForeignConflictError, match=r"params\.yaml: found in conflict"):
        find_conflict(Path())
    code, _, error = call(folder, "resolve")
    assert (code, "git add" in error) == (2, True)
    assert (files_below(folder), run(INDEX, cwd=folder).stdout) == before


def test_a_result_in_conflict_of_a_stage_that_is_no_more_goes_with_it(folder: Path) -> None:
    merge(folder, "without_low", "low")
    set_params(folder, BRANCHES["without_low"])
    run(["git", "add", "params.yaml"], cwd=folder)
    assert "DU metrics/fit/low.json" in run(["git", "status", "--short"], cwd=folder).stdout
    assert resolved(folder) == {"ours": ["choose"]}
    assert not (folder / "metrics/fit/low.json").exists()


def test_results_that_theirs_brings_of_a_stage_that_is_not_taken_do_not_come_in(folder: Path) -> None:
    merge(folder, "low", "extra")
    set_params(folder, BRANCHES["low"])
    run(["git", "add", "params.yaml"], cwd=folder)
    assert resolved(folder) == {"ours": ["fit@low", "choose"]}
    assert not run(["git", "diff", "--cached", "--name-only"], cwd=folder).stdout


def test_files_that_a_stage_would_read_and_a_clone_would_lack_are_refused_before_it_runs(folder: Path) -> None:
    merge(folder, "low", "mid")
    write(folder / "models/elsewhere/model.txt", "100 from another branch")
    code, _, error = call(folder, "resolve")
    assert (code, ran(folder)) == (2, [])
    assert "models/elsewhere/model.txt: found where choose reads" in error


def test_a_dry_run_tells_and_touches_nothing(folder: Path) -> None:
    merge(folder, "low", "best")
    before = (without_temporary(folder), run(INDEX, cwd=folder).stdout)
    done = call_resolve("--dry-run")
    assert done.output.splitlines() == [
        "the same on both sides: make, fit@high",
        "taken from ours: fit@low",
        "taken from theirs: fit@mid",
        "must run: choose",
        "decided after those ran: tell",
        "Nothing was changed.",
    ]
    assert (without_temporary(folder), run(INDEX, cwd=folder).stdout) == before


def without_temporary(folder: Path) -> dict[str, bytes]:
    return {path: content for path, content in files_below(folder).items() if not path.startswith(".dvc/tmp")}


def test_records_of_stages_that_are_no_more_are_dropped_where_nothing_is_in_conflict(folder: Path) -> None:
    run(["git", "checkout", "--quiet", "without_low"], cwd=folder)
    run(["dvc", "checkout", "--quiet", "--force"], cwd=folder)
    assert "fit@low" in lock_of(folder)
    done = call_resolve()
    assert (done.exit_code, done.output.splitlines()[0].endswith(": fit@low")) == (0, True)
    assert "fit@low" not in lock_of(folder)
    assert lock_is_fresh(State(folder)).passed


def test_nothing_in_conflict_is_said_and_is_no_mistake(folder: Path) -> None:
    run(["git", "checkout", "--quiet", "main"], cwd=folder)
    done = call_resolve()
    assert (done.exit_code, done.output.startswith("Nothing to resolve")) == (0, True)


def test_markers_that_were_committed_are_resolved_too(folder: Path) -> None:
    write(folder / ".git/info/attributes", "dvc.lock merge=text\n")
    merge(folder, "low", "mid")
    commit(folder, "too early")
    assert "<<<<<<<" in (folder / "dvc.lock").read_text()
    assert call_resolve().exit_code == 0
    assert lock_is_fresh(State(folder)).passed
    assert ran(folder) == ["choose"]


def test_a_rebase_is_resolved_as_a_merge_is(folder: Path) -> None:
    run(["git", "checkout", "--quiet", "--force", "low"], cwd=folder)
    run(["dvc", "checkout", "--quiet", "--force"], cwd=folder)
    assert run(["git", "rebase", "mid"], cwd=folder, check=False).returncode == 1
    (folder / "ran.log").unlink(missing_ok=True)
    assert resolved(folder) == {"ours": ["fit@mid"], "theirs": ["fit@low"], "ran": ["choose"]}
    run(["git", "-c", "core.editor=true", "rebase", "--continue"], cwd=folder)
    assert checks_pass(folder)


def checks_pass(folder: Path) -> bool:
    return all(check.passed for check in check_all(State(folder, asks_remote=False)))


def test_a_killed_run_is_taken_up_again(folder: Path) -> None:
    merge(folder, "low", "best")
    write(folder / "hold", "")
    with started(folder) as process:
        children = children_of(process.pid)
        process.kill()
    for child in children:
        os.killpg(child, signal.SIGKILL)
        wait_until_gone(child)
    (folder / "hold").unlink()
    assert run(["git", "ls-files", "--unmerged"], cwd=folder).stdout
    (folder / "ran.log").unlink()
    assert resolved(folder) == {"ours": ["fit@low"], "theirs": ["fit@mid", "tell"], "ran": ["choose"]}


def children_of(parent: int) -> list[int]:
    """Return the processes that a process has started; each of ours leads a group."""
    pairs = [line.split() for line in run(["ps", "-A", "-o", "pid=,ppid="], cwd=Path()).stdout.splitlines()]
    return [int(child) for child, of in pairs if int(of) == parent]


def wait_until_gone(group: int) -> None:
    """Wait until the parent of killed processes has reaped them: DVC respects a lock until then."""
    with suppress(ProcessLookupError):
        while True:
            os.killpg(group, 0)
            time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_told_to_stop_stops_its_stages_and_loses_nothing(
    folder: Path, number: signal.Signals, code: int
) -> None:
    merge(folder, "low", "best")
    write(folder / "hold", "")
    with started(folder) as process:
        process.send_signal(number)
    assert process.returncode == code
    assert run(["git", "ls-files", "--unmerged"], cwd=folder).stdout
    (folder / "hold").unlink()
    (folder / "ran.log").unlink()
    assert resolved(folder)["ran"] == ["choose"]


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield the verb in a process group of its own, once a stage that it runs has begun."""
    with subprocess.Popen(
        ["python", "-m", "ops", "resolve"],
        cwd=folder,
        env={**QUIET, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        while "choose" not in ran(folder):
            assert process.poll() is None
            time.sleep(0.05)
        yield process
        process.wait(60)


def test_a_stage_that_fails_is_told_and_what_was_settled_is_kept(folder: Path) -> None:
    merge(folder, "low", "mid")
    write(folder / "broken", "")
    done = call_resolve()
    assert done.exit_code == 1
    assert "no more ink" in done.output
    (folder / "broken").unlink()
    (folder / "ran.log").unlink()
    assert resolved(folder)["ran"] == ["choose"]


def test_dvc_lock_is_written_as_dvc_writes_it(folder: Path) -> None:
    run(["git", "checkout", "--quiet", "main"], cwd=folder)
    lock = (folder / "dvc.lock").read_bytes()
    settling = Settling(folder, Conflict((Side("here", entries_of(lock)),), ("HEAD",), ()))
    write_lock(settling)
    assert (folder / "dvc.lock").read_bytes() == lock


@pytest.mark.slow
def test_the_project_itself_trains_no_candidate_again(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of_history(tmp_path_factory, tmp_path / "project")
    monkeypatch.chdir(folder)
    run(["git", "checkout", "--quiet", "-b", "mine", "first"], cwd=folder)
    text = (folder / "params.yaml").read_text()
    plain = "  candidates:\n    plain:\n      estimator: dummy\n"
    write(folder / "params.yaml", text.replace("  candidates:\n", plain, 1))
    run(["dvc", "repro", "--quiet", "select"], cwd=folder)
    commit_all(folder, "A plain candidate")
    assert run(["git", "merge", "other"], cwd=folder, check=False).returncode == 1
    done = call_resolve("--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["theirs"][0] == "train@boosting"
    assert document["ours"] == ["train@plain"]
    assert document["ran"] == ["select", "card"]
    assert run(["dvc", "status", "--quiet"], cwd=folder, check=False).returncode == 0
