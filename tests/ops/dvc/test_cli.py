"""DVC's command line, here or as another process."""

from pathlib import Path

import pytest

from ops.dvc.cli import run_dvc, run_here
from tests.ops.trivial import trivial

# DVC 3.67 uses what its own dependency will take away.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
STAGES = "stages:\n  make: {cmd: echo one > out/made.txt, outs: [out/made.txt]}\n  fail: {cmd: 'echo no ink; exit 3'}\n"


def test_each_stage_is_told_when_it_starts_and_the_last_lines_are_kept(tmp_path: Path) -> None:
    folder, started = trivial(tmp_path / "toy", STAGES), list[str]()
    ended = run_dvc("repro", "make", "fail", root=folder, started=started.append)
    assert started == ["make", "fail"]
    assert ended.code == 255
    assert "no ink" in ended.lines


def test_a_command_in_this_process_returns_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(trivial(tmp_path / "toy", STAGES))
    assert run_here("repro", "--quiet", "make") == 0
    assert run_here("repro", "--quiet", "fail") == 255
