"""`python -m ops repro --jobs N` gives what `dvc repro` gives, in parallel."""

import os
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.core.errors import LabError
from lab.core.result_files import write_result
from ops.repro.command import jobs_of, repro
from ops.repro.lock_order import reordered, stage_names
from ops.repro.reproduce import Outcome, reproduce
from ops.repro.schedule import Schedule
from ops.repro.summary import ANSWER, GATES, WINNER, summary
from tests.ops.trivial import HERE, interrupted, trivial
from tests.project import QUIET, files_below, run

# DVC asks pygtrie in a way that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

# Each of two stages waits until the other has begun: one after another, neither would end well.
MEET = "touch {me}.here; for i in $(seq 600); do test -e {other}.here && exit 0; sleep 0.05; done; exit 7"
DIAMOND = """\
stages:
  first:
    cmd: cp source.txt out/first.txt
    deps: [source.txt]
    outs: [out/first.txt]
  late:
    cmd: sleep 0.3; cp out/first.txt out/late.txt
    deps: [out/first.txt]
    outs: [out/late.txt]
  each:
    foreach: [b, a]
    do:
      cmd: cp out/first.txt out/${item}.txt; echo copied to ${item}
      deps: [out/first.txt]
      outs: ["out/${item}.txt"]
  last:
    cmd: cat out/late.txt out/a.txt out/b.txt > out/last.txt
    deps: [out/late.txt, out/a.txt, out/b.txt]
    outs: [out/last.txt]
"""


def diamond(folder: Path) -> Path:
    return trivial(folder, DIAMOND, files={"source.txt": "one\n"})


def side_by_side(folder: Path, *targets: str, force: bool = False) -> tuple[Outcome, list[str]]:
    lines: list[str] = []
    return reproduce(Path(), targets, jobs=2, force=force, say=lines.append), lines


def without_time(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files_below(folder).items() if not name.startswith(".dvc/tmp")}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)


def test_independent_stages_run_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = "stages:\n" + "".join(
        f"  {me}:\n    cmd: {MEET.format(me=me, other=other)}\n" for me, other in (("left", "right"), ("right", "left"))
    )
    monkeypatch.chdir(trivial(tmp_path / "toy", stages))
    outcome, _ = side_by_side(tmp_path)
    assert outcome == Outcome(ran=("left", "right"), failed={}, skipped=())


def test_results_and_lock_are_those_of_a_plain_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = diamond(tmp_path / "ours")
    shutil.copytree(folder, tmp_path / "plain")
    run(["dvc", "repro", "--quiet"], cwd=tmp_path / "plain")
    monkeypatch.chdir(folder)
    outcome, _ = side_by_side(tmp_path)
    assert set(outcome.ran) == {"first", "late", "each@b", "each@a", "last"}
    assert without_time(folder) == without_time(tmp_path / "plain")


def test_only_what_has_changed_runs_and_keeps_its_place_in_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(diamond(tmp_path / "toy"))
    side_by_side(tmp_path, "each@a")
    assert stage_names(Path("dvc.lock").read_text()) == ["first", "each@a"]
    assert side_by_side(tmp_path, "each@a")[0] == Outcome(ran=(), failed={}, skipped=())
    Path("out/a.txt").unlink()
    outcome, _ = side_by_side(tmp_path)
    assert outcome.ran == ("late", "each@b", "each@a", "last")
    assert stage_names(Path("dvc.lock").read_text()) == ["first", "each@a", "late", "each@b", "last"]
    assert len(side_by_side(tmp_path, force=True)[0].ran) == 5


def test_after_a_kill_the_lock_has_the_order_of_a_plain_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = diamond(tmp_path / "ours")
    shutil.copytree(folder, tmp_path / "plain")
    run(["dvc", "repro", "--quiet"], cwd=tmp_path / "plain")
    monkeypatch.chdir(folder)

    def kill(_path: Path, **_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr("ops.repro.reproduce.restore_order", kill)
        with pytest.raises(KeyboardInterrupt):
            side_by_side(tmp_path)
    assert stage_names(Path("dvc.lock").read_text()) != stage_names((tmp_path / "plain/dvc.lock").read_text())
    assert side_by_side(tmp_path)[0] == Outcome(ran=(), failed={}, skipped=())
    assert without_time(folder) == without_time(tmp_path / "plain")
    assert not Path(".dvc/tmp/repro.json").exists()


def test_a_failed_stage_stops_only_what_reads_from_it(tmp_path: Path) -> None:
    folder = diamond(tmp_path / "toy")
    broken = DIAMOND.replace("cmd: sleep 0.3;", "cmd: echo the disk is made of cheese >&2; exit 3;")
    (folder / "dvc.yaml").write_text(broken)
    done = run(["python", "-m", "ops", "repro", "--jobs", "2"], cwd=folder, check=False, environment=HERE)
    assert done.returncode == 255
    assert "late | the disk is made of cheese" in done.stderr
    assert "left with 3\nthe disk is made of cheese\n" in done.stderr
    assert "Not run, because they read from it: last" in done.stderr
    assert stage_names((folder / "dvc.lock").read_text()) == ["first", "each@b", "each@a"]


def test_another_dvc_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The stage leaves a process behind that holds DVC's lock for longer than DVC itself would wait for it.
    monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0.06)
    hold = "import time, zc.lockfile; lock = zc.lockfile.LockFile('.dvc/tmp/lock'); open('held', 'w'); time.sleep(0.5)"
    wait = "while ! test -e held; do sleep 0.01; done"
    stages = f'stages:\n  holding:\n    cmd: python -c "{hold}" > held.log 2>&1 & {wait}\n    outs: [held]\n'
    monkeypatch.chdir(trivial(tmp_path / "toy", stages, files={".gitignore": "/held.log\n"}))
    outcome, _ = side_by_side(tmp_path)
    assert outcome == Outcome(ran=("holding",), failed={}, skipped=())


def test_an_interrupt_stops_the_stages_and_the_same_command_goes_on(tmp_path: Path) -> None:
    # It ends by itself if nothing stops it.
    wait = "for i in $(seq 4000); do test -e go && break; sleep 0.05; done"
    command = f"echo $$ > out/pid-${{item}}; {wait}; echo new > out/${{item}}"
    stages = f"stages:\n  each:\n    foreach: [a, b]\n    do:\n      cmd: {command}\n      outs:\n"
    folder = trivial(tmp_path / "toy", f"{stages}        - out/${{item}}: {{persist: true}}\n")
    (folder / "out/a").write_text("old\n")
    repro_both = ["python", "-m", "ops", "repro", "--jobs", "2"]
    at_work = [folder / "out/pid-a", folder / "out/pid-b"]
    done = interrupted(
        repro_both, cwd=folder, environment={}, when=lambda: all(each.exists() and each.read_text() for each in at_work)
    )
    assert (done.returncode, done.stderr.splitlines()[-1][:12]) == (130, "Interrupted:")
    for each in at_work:
        with pytest.raises(ProcessLookupError):
            os.kill(int(each.read_text()), 0)
    assert (folder / "out/a").read_text() == "old\n"
    (folder / "go").touch()
    run(repro_both, cwd=folder, environment=HERE)
    assert (folder / "out/a").read_text() == "new\n"


def test_a_plain_run_is_that_of_dvc(tmp_path: Path) -> None:
    folder = diamond(tmp_path / "toy")
    done = run(["python", "-m", "ops", "repro", "--plain", "first"], cwd=folder, environment=HERE)
    assert "Running stage 'first':\n> cp source.txt out/first.txt" in done.stdout
    assert not (folder / "out/last.txt").exists()


def test_a_run_says_how_long_each_stage_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(diamond(tmp_path / "toy"))
    _, lines = side_by_side(tmp_path, "first")
    assert lines[0] == "first > cp source.txt out/first.txt"
    assert re.fullmatch(r"first took \d+\.\d s", lines[1])


def test_a_target_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(diamond(tmp_path / "toy"))
    with pytest.raises(LabError, match="Stage 'frist' not found inside"):
        side_by_side(tmp_path, "frist")


@pytest.mark.parametrize("jobs", ["0", "5", "many", "-1", "1.5"])
def test_a_number_of_jobs_that_cannot_be_is_refused(jobs: str) -> None:
    with pytest.raises(LabError, match="expected a number from 1 to 4, or auto"):
        jobs_of(jobs, cores=2)


@pytest.mark.parametrize(("cores", "jobs"), [(1, 1), (2, 2), (64, 4)])
def test_left_to_itself_it_takes_a_stage_for_each_core_up_to_four(cores: int, jobs: int) -> None:
    assert jobs_of("auto", cores=cores) == jobs


def test_help_teaches_the_exit_codes() -> None:
    assert "Exit 0 when all is up to date, 255 when a stage failed" in CliRunner().invoke(repro, ["--help"]).output


def test_of_those_that_may_run_the_one_that_most_wait_for_comes_first() -> None:
    upstream = {"a": frozenset[str](), "b": frozenset[str](), "c": frozenset({"b"}), "d": frozenset({"c"})}
    schedule = Schedule(("a", "b", "c", "d"), upstream)
    assert schedule.start(1) == ["b"]
    assert schedule.start(1) == []
    schedule.end("b", well=True)
    assert schedule.start(2) == ["c", "a"]
    schedule.end("c", well=False)
    assert (schedule.start(2), schedule.skipped) == ([], ["d"])


def test_blocks_of_a_lock_move_whole() -> None:
    lock = "schema: '2.0'\nstages:\n  b:\n    cmd: x\n  'n':\n    cmd: z\n  a:\n    cmd: y\ndatasets: []\n"
    assert reordered(lock, ["a", "n"]) == (
        "schema: '2.0'\nstages:\n  a:\n    cmd: y\n  'n':\n    cmd: z\n  b:\n    cmd: x\ndatasets: []\n"
    )
    assert reordered("schema: '2.0'\n", ["a"]) == "schema: '2.0'\n"


@pytest.mark.parametrize(("better", "following"), [("better", "ops promote"), ("not distinguishable", "dvc exp run")])
def test_a_whole_run_ends_with_verdict_pages_and_what_to_do_next(better: str, following: str, tmp_path: Path) -> None:
    answer = {"challenger": better, "metric": "roc_auc", "difference": 0.01, "low": -0.002, "high": 0.022}
    gates = [{"gate": "roc_auc", "verdict": "passed"}]
    write_result({"challenger": "forest"}, tmp_path / WINNER, compared=())
    write_result({"answer": answer}, tmp_path / ANSWER, compared=())
    assert summary(tmp_path) == []
    write_result({"passed": True, "failed": [], "within_noise": [], "gates": gates}, tmp_path / GATES, compared=())
    verdict, pages, next_command = summary(tmp_path)
    assert verdict == (
        f"Verdict: forest against the champion: {better}, ROC AUC +0.0100 (−0.0020 to 0.0220). "
        "Gates: 1 of 1 gate passed."
    )
    assert "reports/model_card.md" in pages
    assert following in next_command
