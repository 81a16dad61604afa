"""An incomplete dvc.lock or rwlock is found before DVC runs, and the printed cure works."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dvc.lock import make_lock

from ops.dvc.torn_files import RWLOCK, TornFileError, check_files_of_dvc, mend_rwlock, refuse_torn_lock, what_is_lost
from ops.resolve.conflict import find_conflict
from ops.resolve.settle import Settling, foresee
from tests.cures import apply_cure, cure_in
from tests.ops.four_stages import (
    PARAMS,
    call,
    commit,
    copy_of,
    make_four_stages,
    repro,
    set_params,
    write,
)
from tests.project import QUIET, run

CUTS = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the repository with a run that is not committed: a new weight and a new candidate."""
    folder = make_four_stages(tmp_path_factory.mktemp("torn") / "made")
    set_params(folder, {**PARAMS, "candidates": {**PARAMS["candidates"], "mid": {"weight": 6}, "new": {"weight": 3}}})
    repro(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = copy_of(made, tmp_path / "folder")
    monkeypatch.chdir(folder)
    return folder


def cut(folder: Path, length: int) -> None:
    with (folder / "dvc.lock").open("r+b") as stream:
        stream.truncate(length)


def cuts_of(text: bytes) -> list[int]:
    """Return the end of each line, where a cut is hardest to see, and places at random."""
    drawn = np.random.default_rng(5).choice(len(text), CUTS, replace=False)
    return sorted({*map(int, drawn), *(at + 1 for at, byte in enumerate(text[:-1]) if byte == ord("\n"))})


def test_every_cut_of_a_committed_lock_is_found(folder: Path) -> None:
    commit(folder, "the run")
    text = (folder / "dvc.lock").read_bytes()
    assert what_is_lost(folder) == ""
    for length in cuts_of(text):
        write(folder / "dvc.lock", text[:length].decode())
        assert what_is_lost(folder), length


def test_every_cut_of_a_lock_with_new_entries_is_found_that_loses_what_git_has(folder: Path) -> None:
    text = (folder / "dvc.lock").read_bytes()
    assert what_is_lost(folder) == ""
    last = text.index(b"  fit@new:")  # the only entry that git does not know, at the end
    for length in cuts_of(text):
        write(folder / "dvc.lock", text[:length].decode())
        assert bool(what_is_lost(folder)) == (length != last), length


def test_a_lock_with_more_entries_than_git_has_is_complete(folder: Path) -> None:
    run(["git", "rm", "--quiet", "--cached", "dvc.lock"], cwd=folder)
    run(["git", "commit", "--quiet", "-m", "no lock"], cwd=folder)
    assert what_is_lost(folder) == ""


def staged(folder: Path) -> None:
    run(["git", "add", "dvc.lock"], cwd=folder)


def without_a_version_in_git(folder: Path) -> None:
    run(["git", "rm", "--quiet", "--cached", "dvc.lock"], cwd=folder)
    run(["git", "commit", "--quiet", "-m", "no lock"], cwd=folder)


def in_head_alone(folder: Path) -> None:
    commit(folder, "the run")
    text = (folder / "dvc.lock").read_bytes()
    cut(folder, len(text) // 2)
    staged(folder)
    (folder / "dvc.lock").write_bytes(text)


CURES: dict[str, tuple[Callable[[Path], None], str]] = {
    "staged": (staged, "git checkout -- dvc.lock"),
    "in HEAD": (in_head_alone, "git checkout HEAD -- dvc.lock"),
    "nowhere": (without_a_version_in_git, "rm dvc.lock"),
}


@pytest.mark.parametrize("where", CURES)
def test_the_printed_cure_leaves_a_lock_that_runs_to_the_same_end(folder: Path, where: str) -> None:
    prepare, cure = CURES[where]
    prepare(folder)
    text = (folder / "dvc.lock").read_text()
    cut(folder, len(text) * 2 // 3)
    code, _, error = call(folder, "repro")
    assert (code, f"Cure: {cure};" in error) == (2, True), error
    run(shlex.split(cure), cwd=folder)
    code, _, error = call(folder, "repro", "--jobs", "1")
    assert code == 0, error
    assert (folder / "dvc.lock").read_text() == text or where == "nowhere"
    assert call(folder, "verify", "--only-merges")[0] == 0


def test_verify_and_resolve_name_the_cure_too(folder: Path) -> None:
    commit(folder, "the run")
    cut(folder, len((folder / "dvc.lock").read_bytes()) // 2)
    code, out, error = call(folder, "verify", "--no-remote")
    assert (code, "Cure: git checkout -- dvc.lock" in out) == (1, True), error
    code, _, error = call(folder, "resolve")
    assert (code, "Cure: git checkout -- dvc.lock" in error) == (2, True)
    run(["git", "checkout", "--", "dvc.lock"], cwd=folder)
    assert call(folder, "verify", "--no-remote")[0] == 0


def test_within_a_conflict_the_cure_is_to_resolve_which_needs_no_lock_on_disk(folder: Path) -> None:
    commit(folder, "the run")
    run(["git", "checkout", "--quiet", "-b", "other", "HEAD~1"], cwd=folder)
    run(["dvc", "checkout", "--quiet", "--force"], cwd=folder)
    set_params(folder, {**PARAMS, "told": "badly"})
    repro(folder)
    commit(folder, "other")
    assert run(["git", "merge", "main"], cwd=folder, check=False).returncode == 1
    text = (folder / "dvc.lock").read_bytes()
    for length in [length for length in cuts_of(text) if length > len(text) - 800]:
        write(folder / "dvc.lock", text[:length].decode())
        with pytest.raises(TornFileError, match="Cure: python -m ops resolve"):
            refuse_torn_lock(folder)
        conflict = find_conflict(folder)
        assert conflict is not None
        foresee(Settling(folder, conflict))
    cut(folder, len(text) // 2)
    assert call(folder, "resolve")[0] == 0
    assert what_is_lost(folder) == ""
    assert run(["dvc", "status", "--quiet"], cwd=folder, check=False).returncode == 0


@pytest.mark.parametrize("torn", ["", '{"write": {"/data": {"pid": 4194305, "cmd": "dvc rep', "[]"])
def test_an_rwlock_that_nobody_holds_is_removed_and_said(folder: Path, torn: str) -> None:
    write(folder / RWLOCK, torn)
    assert run(["dvc", "repro", "--force", "--single-item", "tell"], cwd=folder, check=False).returncode == 255
    said: list[str] = []
    check_files_of_dvc(folder, say=said.append)
    assert said == [f"Removed {RWLOCK}: a killed DVC or a full disk left it incomplete, and nobody holds it."]
    assert run(["dvc", "repro", "--force", "--single-item", "tell"], cwd=folder, check=False).returncode == 0


def test_an_rwlock_in_use_is_left_alone(folder: Path) -> None:
    held = {"write": {"/data": {"pid": os.getpid(), "cmd": "dvc repro"}}}
    write(folder / RWLOCK, json.dumps(held))
    assert not mend_rwlock(folder)
    assert json.loads((folder / RWLOCK).read_text()) == held


def test_a_torn_rwlock_of_a_running_process_is_refused_until_that_has_ended(folder: Path) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, env=QUIET) as process:
        write(folder / RWLOCK, f'{{"write": {{"/data": {{"pid": {process.pid}, "cmd": "dvc re')
        with pytest.raises(TornFileError, match=f"is running: {process.pid}.*rm .dvc/tmp/rwlock"):
            mend_rwlock(folder)
        process.communicate()
    assert mend_rwlock(folder)


def test_a_torn_rwlock_that_another_dvc_is_writing_is_left_until_it_has_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0.06)
    write(folder / RWLOCK, "{")
    with (
        make_lock(str(folder / f"{RWLOCK}.lock")),
        pytest.raises(TornFileError, match="being written by another DVC") as refused,
    ):
        mend_rwlock(folder)
    assert cure_in(str(refused.value), of="ops/dvc/torn_files.py: call this again")
    assert mend_rwlock(folder)


def test_removing_a_torn_rwlock_by_hand_is_a_cure(folder: Path) -> None:
    write(folder / RWLOCK, f'{{"write": {{"/data": {{"pid": {os.getpid()}, "cmd": "an editor')
    code, _, error = call(folder, "repro", "--jobs", "1")
    assert code == 2
    key = "ops/dvc/torn_files.py: wait for its end and call this again; if it is no DVC: rm {}"
    apply_cure(error, f"rm {RWLOCK}", of=key, cwd=folder)
    assert call(folder, "repro", "--jobs", "1")[0] == 0
