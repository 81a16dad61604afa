"""`python -m ops revert REV` restores code, data and models, and loses nothing."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.core.errors import LabError
from lab.core.result_files import write_json
from ops.revert.command import revert
from ops.revert.note import NOTE, Note
from ops.revert.revert import Request, Reverted
from ops.revert.revert import revert as bring_back
from tests.cures import apply_cure, hold_to_cure
from tests.ops.trivial import HERE, commit, trivial
from tests.project import QUIET, run

# DVC asks pygtrie in a way that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

STAGES = """\
stages:
  folder:
    cmd: test ! -e wait || sleep 600; mkdir -p out/folder && cp source.txt out/folder/a.txt
    deps: [source.txt]
    outs: [out/folder]
  made:
    cmd: cat out/folder/a.txt source.txt > out/made.txt; cp source.txt metric.txt
    deps: [out/folder, source.txt]
    outs: [out/made.txt, {metric.txt: {cache: false}}]
"""
# What each run makes anew: no two runs give the same bytes.
NEW = "  new:\n    cmd: date +%s%N > out/new.txt\n    deps: [source.txt]\n    outs: [out/new.txt]\n"
# Only the second version has it.
EXTRA = "  extra:\n    cmd: cp source.txt out/extra.txt\n    deps: [source.txt]\n    outs: [out/extra.txt]\n"


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions, tags v1 and v2, the second on branch main; both are on the remote."""
    ignored = "/out\n/wait\n/.dvc/storage\n"
    files = {"source.txt": "one\n", ".gitignore": ignored}
    folder = trivial(tmp_path_factory.mktemp("versions") / "project", STAGES + NEW, files=files)
    for tag, stages, source in (("v1", STAGES + NEW, "one\n"), ("v2", STAGES + NEW + EXTRA, "two\n")):
        (folder / "dvc.yaml").write_text(stages)
        (folder / "source.txt").write_text(source)
        run(["dvc", "repro", "--quiet"], cwd=folder)
        run(["dvc", "push", "--quiet"], cwd=folder)
        commit(folder, tag)
        run(["git", "tag", tag], cwd=folder)
    return folder


@pytest.fixture
def project(versions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    folder = shutil.copytree(versions, tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def back(name: str, *, branch: str | None = None, derive: bool = True) -> tuple[Reverted, list[str]]:
    said: list[str] = []
    return bring_back(Request(name, branch, derive=derive), root=Path(), say=said.append), said


def origins(reverted: Reverted) -> dict[str, str]:
    return {output.path: output.origin for output in reverted.outputs}


def git(*arguments: str) -> str:
    return run(["git", *arguments], cwd=Path()).stdout.strip()


def forget(*places: str) -> None:
    for place in places:
        shutil.rmtree(place)


def is_first_version(*, new: bool = True) -> bool:
    contents = {"out/folder/a.txt": "one\n", "out/made.txt": "one\none\n", "metric.txt": "one\n", "source.txt": "one\n"}
    found = {name: Path(name).read_text() if Path(name).exists() else None for name in contents}
    clean = git("status", "--porcelain") == "" and not Path("out/extra.txt").exists()
    return found == contents and clean and Path("out/new.txt").exists() == new and not NOTE.exists()


def test_a_tag_brings_data_back_from_the_cache_and_tells_the_way_back(project: Path) -> None:
    reverted, said = back("v1")
    assert is_first_version()
    assert set(origins(reverted).values()) == {"cache"}
    assert reverted.complete
    assert said[0] == "The way back: git checkout main && dvc checkout"
    git("checkout", "--quiet", "main")
    run(["dvc", "checkout", "--quiet"], cwd=project)
    assert Path("out/made.txt").read_text() == "two\ntwo\n"


def test_what_is_in_its_place_stays_there(project: Path) -> None:
    assert set(origins(back("v2")[0]).values()) == {"here"}
    assert git("branch", "--show-current") == ""


def test_a_branch_is_checked_out_as_a_branch(project: Path) -> None:
    back("v1")
    reverted, said = back("main")
    assert git("branch", "--show-current") == "main"
    assert said[0].startswith(f"The way back: git checkout {git('rev-parse', '--short', 'v1')}")
    assert reverted.complete


def test_only_what_the_cache_lacks_is_fetched(project: Path) -> None:
    made = Path(".dvc/cache/files/md5", object_of("v1", "out/made.txt"))
    made.unlink()
    reverted, _ = back("v1")
    assert is_first_version()
    assert origins(reverted) == {"out/folder": "cache", "out/made.txt": "remote", "out/new.txt": "cache"}


def test_a_damaged_object_of_the_cache_is_noticed_and_never_served(project: Path) -> None:
    damaged = Path(".dvc/cache/files/md5", object_of("v1", "out/made.txt"))
    damaged.chmod(0o644)
    damaged.write_text("ONE\none\n")
    damaged.chmod(0o444)
    reverted, _ = back("v1")
    assert is_first_version()
    assert origins(reverted)["out/made.txt"] == "remote"
    assert reverted.notes == ("1 object of the cache had other bytes than its name says: gone.",)


def test_what_is_nowhere_is_derived_again_to_the_same_bytes(project: Path) -> None:
    new = Path(".dvc/cache/files/md5", object_of("v1", "out/new.txt"))
    kept = new.read_bytes()
    forget(".dvc/cache", ".dvc/storage")
    new.parent.mkdir(parents=True)
    new.write_bytes(kept)
    reverted, said = back("v1")
    assert is_first_version()
    assert origins(reverted) == {"out/folder": "derived", "out/made.txt": "derived", "out/new.txt": "cache"}
    assert "Deriving again: folder and made." in said
    assert git("diff", "v1", "--", "dvc.lock") == ""


def test_other_bytes_than_those_recorded_are_refused(project: Path) -> None:
    forget(".dvc/cache", ".dvc/storage")
    reverted, _ = back("v1")
    assert is_first_version(new=False)
    (missing,) = [output for output in reverted.outputs if output.origin == "missing"]
    assert (missing.path, missing.reason) == (
        "out/new.txt",
        "derived again, but not to the bytes that dvc.lock records",
    )
    assert not reverted.complete


def test_a_file_of_git_that_a_stage_writes_otherwise_is_put_back(project: Path) -> None:
    other = STAGES.replace("cp source.txt metric.txt", "date +%N > metric.txt")
    Path("dvc.yaml").write_text(other)
    run(["dvc", "repro", "--quiet"], cwd=project)
    here, committed = commit(project, "a metric that nobody can repeat"), Path("metric.txt").read_text()
    back("v1")
    forget(".dvc/cache", ".dvc/storage")
    reverted, _ = back(here)
    assert Path("metric.txt").read_text() == committed
    assert git("status", "--porcelain") == ""
    assert (reverted.complete, reverted.notes) == (
        False,
        ("metric.txt was derived to other bytes; the committed ones are back.",),
    )


def test_what_a_stage_spoils_on_its_way_is_put_right(project: Path) -> None:
    # `made` now also depends on what differs at every run, and is here in the bytes that the lock says.
    Path("dvc.yaml").write_text(
        Path("dvc.yaml").read_text().replace("[out/folder, source.txt]", "[out/folder, out/new.txt]")
    )
    Path("dvc.yaml").write_text(
        Path("dvc.yaml").read_text().replace("a.txt source.txt > out/made", "a.txt out/new.txt > out/made")
    )
    run(["dvc", "repro", "--quiet"], cwd=project)
    here, made = commit(project, "made of what is new"), Path("out/made.txt").read_text()
    forget(".dvc/cache", ".dvc/storage")
    Path("out/new.txt").unlink()
    Path("out/extra.txt").unlink()
    reverted, _ = back(here)
    assert Path("out/made.txt").read_text() == made
    assert [output.path for output in reverted.outputs if output.origin == "missing"] == ["out/new.txt"]


def test_a_remote_that_cannot_be_asked_is_not_fatal_and_its_words_are_not_repeated(project: Path) -> None:
    run(["dvc", "remote", "modify", "storage", "url", "webdavs://user:sesame@127.0.0.1:9/x"], cwd=project)
    commit(project, "another remote")
    forget(".dvc/cache")
    Path("out/made.txt").unlink()
    reverted, _ = back("HEAD")
    assert (reverted.complete, origins(reverted)["out/made.txt"]) == (True, "derived")
    assert "`dvc fetch`" in reverted.notes[0]
    assert "sesame" not in str(reverted)


def test_nothing_runs_when_told_so(project: Path) -> None:
    forget(".dvc/cache", ".dvc/storage")
    reverted, _ = back("v1", derive=False)
    assert set(origins(reverted).values()) == {"missing"}
    assert {output.reason for output in reverted.outputs} == {"neither in the cache nor on the remote"}


def test_a_project_without_a_remote_does_without(project: Path) -> None:
    run(["dvc", "remote", "remove", "storage"], cwd=project)
    commit(project, "no remote")
    run(["git", "tag", "--force", "v2"], cwd=project)
    back("v1", derive=False)
    forget(".dvc/cache")
    reverted, _ = back("v2", derive=False)
    assert set(origins(reverted).values()) == {"missing"}


def test_changes_that_no_commit_holds_are_named_and_refused(project: Path) -> None:
    Path("source.txt").write_text("mine\n")
    Path("notes.py").write_text("")
    with pytest.raises(LabError, match=r"found 2 files .*\(notes.py, source.txt\), .* Cure: .*git stash"):
        back("v1")
    assert (git("branch", "--show-current"), Path("source.txt").read_text()) == ("main", "mine\n")


def test_an_output_that_is_kept_nowhere_is_refused(project: Path) -> None:
    Path("out/made.txt").unlink()
    Path("out/made.txt").write_text("drawn by hand\n")
    with pytest.raises(LabError, match=r"found 1 output unlike dvc.lock.*\(out/made.txt\)") as error:
        back("v1")
    assert Path("out/made.txt").read_text() == "drawn by hand\n"
    key = "ops/revert/revert.py: `dvc commit` keeps them; `dvc checkout --force` throws them"
    apply_cure(str(error.value), "dvc checkout --force", of=key, cwd=project)
    back("v1")


def test_an_output_that_only_lies_in_its_place_goes_to_the_cache_first(project: Path) -> None:
    new = Path("out/new.txt").read_text()
    forget(".dvc/cache", ".dvc/storage")
    back("v1")
    reverted, _ = back("main")
    assert Path("out/new.txt").read_text() == new
    assert set(origins(reverted).values()) == {"cache"}


def test_outputs_that_the_revision_does_not_know_are_removed(project: Path) -> None:
    reverted, _ = back("v1")
    assert reverted.removed == ("out/extra.txt",)
    assert origins(back("main")[0])["out/extra.txt"] == "cache"


def test_a_branch_is_made_there_and_not_moved(project: Path) -> None:
    back("v1", branch="from-v1")
    assert (git("branch", "--show-current"), git("rev-parse", "HEAD")) == ("from-v1", git("rev-parse", "v1"))
    back("main")
    with pytest.raises(LabError, match="found a branch of that name at another commit"):
        back("v2", branch="from-v1")
    key = "ops/revert/tree.py: letters, digits, - and /"
    hold_to_cure(key, partial(back, "v2", branch="two words"), partial(back, "v2", branch="two/words-2"))


def test_an_experiment_comes_back_by_its_name(project: Path) -> None:
    base = git("rev-parse", "v2")
    run(["git", "update-ref", f"refs/exps/{base[:2]}/{base[2:]}/brave-try", git("rev-parse", "v1")], cwd=project)
    back("brave-try")
    assert is_first_version()


def test_a_revision_that_is_not_there_is_refused(project: Path) -> None:
    with pytest.raises(LabError, match="'v9' is no revision of this repository"):
        back("v9")


def test_one_that_was_killed_while_it_derived_is_finished_by_the_next(project: Path) -> None:
    new = Path(".dvc/cache/files/md5", object_of("v1", "out/new.txt"))
    kept = new.read_bytes()
    forget(".dvc/cache", ".dvc/storage")
    new.parent.mkdir(parents=True)
    new.write_bytes(kept)
    Path("wait").touch()
    command = ["python", "-m", "ops", "revert", "v1"]
    with subprocess.Popen(command, env={**QUIET, **HERE}, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "folder > " not in process.stderr.readline():
            assert process.poll() is None
        process.kill()
    Path("metric.txt").unlink()  # as a stage leaves it that is killed between two of its outputs
    Path("wait").unlink()
    reverted, said = back("v1")
    assert is_first_version()
    assert (reverted.complete, said[0]) == (True, "The way back: git checkout main && dvc checkout")


def test_one_that_was_killed_within_git_checkout_is_finished_by_the_next(project: Path) -> None:
    write_json(Note(git("rev-parse", "v1"), git("rev-parse", "v2"), "main"), NOTE)
    Path("source.txt").write_text("one\n")  # v1's, while HEAD is v2
    back("v1")
    assert is_first_version()


def test_what_was_changed_since_it_was_killed_is_refused(project: Path) -> None:
    write_json(Note(git("rev-parse", "v1"), git("rev-parse", "v2"), "main"), NOTE)
    Path("source.txt").write_text("mine\n")
    with pytest.raises(LabError, match=r"found 1 file that no commit holds \(source.txt\)"):
        back("v1")


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--no-derive",), 1)])
def test_the_exit_code_says_whether_all_is_back(project: Path, arguments: Sequence[str], code: int) -> None:
    if code:
        forget(".dvc/cache", ".dvc/storage")
    done = CliRunner().invoke(revert, ["v1", *arguments])
    assert done.exit_code == code
    assert f"v1 is back ({git('rev-parse', 'v1')[:8]}): {0 if code else 3} of 3 outputs." in done.stdout


def test_a_machine_reads_the_same(project: Path) -> None:
    found = json.loads(CliRunner().invoke(revert, ["v1", "--json"]).stdout)
    assert (found["complete"], found["way_back"], found["removed"]) == (True, "main", ["out/extra.txt"])
    assert found["outputs"][1] == {"from": "cache", "path": "out/made.txt", "reason": ""}


def test_other_pins_are_told(project: Path) -> None:
    Path("requirements.txt").write_text("a==1\n")
    commit(project, "pins")
    assert "requirements.txt pins other packages than before. `make setup` installs them." in back("v1")[0].notes


def object_of(tag: str, path: str) -> str:
    """Return where the cache keeps an output of a version."""
    lock = run(["git", "show", f"{tag}:dvc.lock"], cwd=Path()).stdout
    md5 = lock.partition(f"path: {path}\n")[2].partition("md5: ")[2].partition("\n")[0]
    return f"{md5[:2]}/{md5[2:]}"
