"""A merge of two dvc.locks is a conflict, and `verify` finds what a server mixed."""

import json
import shlex
from pathlib import Path

import pytest

from ops.verify.checks import check_all, lock_is_fresh, merges_are_run
from ops.verify.merges import mixtures
from ops.verify.state import State
from tests.cures import apply_cure
from tests.ops.four_stages import PARAMS, call, commit, copy_of, make_four_stages, ran, repro, set_params, write
from tests.project import ROOT, lock_of, run

# `tell` writes whether the best weight is above its limit: a limit of 8 changes nothing while the best weighs 9.
TELL = """
best = int(Path("chosen.txt").read_text().split()[1])
write("metrics/tell.json", json.dumps({"above": best > settings()["told"]}) + "\\n")
"""


def with_limit(limit: int, *, high: int) -> dict[str, object]:
    return {**PARAMS, "told": limit, "candidates": {**PARAMS["candidates"], "high": {"weight": high}}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the repository with two branches: `limit` changes one line of dvc.lock, `weight` the data below it."""
    folder = make_four_stages(tmp_path_factory.mktemp("merges") / "made")
    head, _, _ = (folder / "stages/tell.py").read_text().partition("\nchosen =")
    write(folder / "stages/tell.py", head + TELL)
    for branch, settings in (
        ("main", with_limit(3, high=9)),
        ("limit", with_limit(8, high=9)),
        ("weight", with_limit(3, high=7)),
    ):
        run(["git", "checkout", "--quiet", *([] if branch == "main" else ["-b"]), branch], cwd=folder)
        if branch != "main":
            run(["git", "reset", "--quiet", "--hard", "main"], cwd=folder)
        set_params(folder, settings)
        repro(folder)
        commit(folder, branch)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = copy_of(made, tmp_path / "folder")
    monkeypatch.chdir(folder)
    run(["git", "checkout", "--quiet", "limit"], cwd=folder)
    run(["dvc", "checkout", "--quiet", "--force"], cwd=folder)
    return folder


def merged_by_a_server(folder: Path) -> None:
    """Merge as a service does that does not read .gitattributes."""
    write(folder / ".git/info/attributes", "dvc.lock merge=text\n")
    assert "Auto-merging dvc.lock" in run(["git", "merge", "weight", "--no-edit"], cwd=folder).stdout
    (folder / ".git/info/attributes").unlink()
    run(["dvc", "checkout", "--quiet", "--force"], cwd=folder)
    (folder / "ran.log").unlink(missing_ok=True)


def test_git_stops_at_dvc_lock_and_resolve_runs_what_neither_side_ran(folder: Path) -> None:
    done = run(["git", "merge", "weight", "--no-edit"], cwd=folder, check=False)
    assert "CONFLICT (content): Merge conflict in dvc.lock" in done.stdout
    (folder / "ran.log").unlink(missing_ok=True)
    code, out, error = call(folder, "resolve")
    assert (code, ran(folder)) == (0, ["tell"]), error
    assert json.loads((folder / "metrics/tell.json").read_text()) == {"above": False}
    run(shlex.split(out.rstrip().rpartition("then ")[2]), cwd=folder)
    assert "Stages-run: tell" in run(["git", "log", "-1", "--format=%(trailers)"], cwd=folder).stdout
    assert passed(folder)


def passed(folder: Path) -> bool:
    return all(check.passed for check in check_all(State(folder, asks_remote=False)))


def test_a_merge_line_by_line_is_found_though_dvc_calls_it_up_to_date(folder: Path) -> None:
    merged_by_a_server(folder)
    assert run(["dvc", "status", "--quiet"], cwd=folder, check=False).returncode == 0
    assert json.loads((folder / "metrics/tell.json").read_text()) == {"above": True}
    assert lock_is_fresh(State(folder)).passed
    check = merges_are_run(State(folder))
    assert [line.split(":")[0] for line in check.found] == ["tell"]
    assert call(folder, "verify", "--only-merges")[0] == 1


def test_the_check_of_merges_alone_claims_nothing_else(folder: Path) -> None:
    set_params(folder, with_limit(5, high=9))
    code, out, _ = call(folder, "verify", "--only-merges")
    assert (code, out.splitlines()[-1]) == (0, "PASSED: merged; nothing else was checked")
    commands = run(["make", "--dry-run", "check"], cwd=ROOT, check=False).stdout
    assert "python -m ops verify --only-merges" in commands


def test_the_cure_of_a_mixture_runs_that_stage_alone_and_the_check_passes(folder: Path) -> None:
    merged_by_a_server(folder)
    key = "ops/verify/checks.py: python -m ops resolve, which runs these stages; then commit"
    out = apply_cure(merges_are_run(State(folder)).cure, "python -m ops resolve", of=key, cwd=folder).stdout
    assert ran(folder) == ["tell"]
    assert json.loads((folder / "metrics/tell.json").read_text()) == {"above": False}
    run(shlex.split(out.rstrip().rpartition("then ")[2]), cwd=folder)
    assert passed(folder)


def test_a_run_that_leaves_the_same_outputs_is_known_by_the_message(folder: Path) -> None:
    write(folder / "stages/tell.py", (folder / "stages/tell.py").read_text() + "# a remark\n")
    set_params(folder, with_limit(3, high=9))
    repro(folder)
    commit(folder, "Only a remark")
    merged_by_a_server(folder)
    before = lock_of(folder)
    assert [each.stage for each in mixtures(folder)] == ["tell"]
    code, out, _ = call(folder, "resolve")
    assert (code, ran(folder), lock_of(folder)) == (0, ["tell"], before)
    assert not passed(folder)
    run(shlex.split(out.rstrip().rpartition("then ")[2]), cwd=folder)
    assert passed(folder)


def test_an_entry_that_a_later_run_replaced_is_no_mixture(folder: Path) -> None:
    merged_by_a_server(folder)
    set_params(folder, with_limit(8, high=5))
    repro(folder)
    commit(folder, "Another weight")
    assert mixtures(folder) == []


def test_a_mixture_is_found_behind_later_commits_and_merges(folder: Path) -> None:
    merged_by_a_server(folder)
    mixed = run(["git", "rev-parse", "HEAD"], cwd=folder).stdout.strip()
    run(["git", "checkout", "--quiet", "-b", "notes", "main"], cwd=folder)
    write(folder / "notes.md", "one")
    commit(folder, "Notes")
    run(["git", "merge", "limit", "--no-edit", "--quiet"], cwd=folder)
    assert [(each.stage, each.merge) for each in mixtures(folder)] == [("tell", mixed)]


def test_whole_entries_of_two_sides_that_do_not_fit_are_stale(folder: Path) -> None:
    """`choose` of one side and `tell` of the other: each ran, but `tell` read another choice."""
    ours, theirs = lock_of(folder), run(["git", "show", "weight:dvc.lock"], cwd=folder).stdout
    write(folder / "dvc.lock", theirs)
    entries = {**lock_of(folder), "tell": ours["tell"]}
    write(folder / "dvc.lock", json.dumps({"schema": "2.0", "stages": entries}) + "\n")
    set_params(folder, with_limit(8, high=7))
    assert "tell: chosen.txt is not what it read" in "\n".join(lock_is_fresh(State(folder)).found)


def test_a_result_that_git_merged_line_by_line_is_not_what_its_stage_wrote(folder: Path) -> None:
    write(folder / "plots/choose/high.csv", "9 of one side, 7 of the other\n")
    assert any("plots/choose is not what it wrote" in line for line in lock_is_fresh(State(folder)).found)


def test_a_shallow_clone_says_what_it_cannot_check(folder: Path, tmp_path: Path) -> None:
    merged_by_a_server(folder)
    run(["git", "clone", "--quiet", "--depth=1", f"file://{folder}", str(tmp_path / "shallow")], cwd=tmp_path)
    check = merges_are_run(State(tmp_path / "shallow"))
    assert check.passed
    assert "older merges were not checked" in check.summary
