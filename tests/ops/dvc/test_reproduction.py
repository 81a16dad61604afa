"""The steps of `dvc repro`, taken one by one, do what the command does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.dvc.reproduction import (
    commands_of,
    commands_run_by,
    locked_repository,
    plan_of,
    release_lock,
    reproduce_stage,
    take_lock,
)
from tests.ops.trivial import trivial
from tests.project import run

# DVC 3.67 uses what its own dependency will take away.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
STAGES = """\
stages:
  last:
    cmd: cp out/first.txt out/last.txt
    deps: [out/first.txt]
    outs: [out/last.txt]
  first:
    cmd:
      - echo one > out/first.txt
      - echo two >> out/first.txt
    outs: [out/first.txt]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = trivial(tmp_path / "toy", STAGES)
    monkeypatch.chdir(folder)
    return folder


def test_a_plan_has_what_a_stage_reads_from_before_it(folder: Path) -> None:
    with locked_repository(folder) as repository:
        plan = plan_of(repository, [])
        assert list(plan.stages) == ["first", "last"]
        assert [each.addressing for each in plan.upstream["last"]] == ["first"]
        assert list(plan_of(repository, ["first"]).stages) == ["first"]


def test_a_stage_runs_once_and_leaves_the_lock_of_a_plain_run(folder: Path) -> None:
    with locked_repository(folder) as repository:
        plan = plan_of(repository, [])
        for expected in (["first", "last"], []):
            ran = [name for name, each in plan.stages.items() if reproduce_stage(each, upstream=(), force=False)]
            assert ran == expected
        assert reproduce_stage(plan.stages["first"], upstream=(), force=True)
    assert (folder / "out/last.txt").read_text() == "one\ntwo\n"
    lock = (folder / "dvc.lock").read_text()
    run(["dvc", "repro", "--quiet", "--force"], cwd=folder)
    assert (folder / "dvc.lock").read_text() == lock


def test_commands_are_given_to_the_runner_as_processes_of_the_shell(folder: Path) -> None:
    seen = []

    def runner(stage: Any, *, run_env: Mapping[str, str] | None = None, **_: object) -> None:
        seen.append(commands_of(stage, run_env=run_env))
        Path("out/first.txt").write_text("by the runner\n")

    with locked_repository(folder) as repository, commands_run_by(runner):
        reproduce_stage(plan_of(repository, ["first"]).stages["first"], upstream=(), force=False)
    (commands,) = seen
    assert commands.lines == ("echo one > out/first.txt", "echo two >> out/first.txt")
    assert [process[-1] for process in commands.processes] == list(commands.lines)
    assert commands.processes[0][-2] == "-c"
    assert commands.folder == folder
    assert commands.environment["DVC_STAGE"] == "first"
    assert (folder / "out/first.txt").read_text() == "by the runner\n"


def test_another_process_can_have_the_lock_once_it_is_released(folder: Path) -> None:
    with locked_repository(folder) as repository:
        assert not lock_is_free()
        release_lock(repository)
        assert lock_is_free()
        take_lock(repository)
        assert not lock_is_free()
    assert lock_is_free()


def lock_is_free() -> bool:
    """Say whether another process can take DVC's lock."""
    take = "import zc.lockfile; zc.lockfile.LockFile('.dvc/tmp/lock').close()"
    return run(["python", "-c", take], cwd=Path.cwd(), check=False).returncode == 0
