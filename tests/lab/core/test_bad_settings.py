"""Every bad setting gives one message and exit code 2."""

import importlib
import shutil
from pathlib import Path

import pytest

from lab.core.command import run
from tests.bad_settings import BadSetting, bad_settings, lay_out

LONGEST = 30_000  # characters of a message


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("settings"))


@pytest.mark.parametrize("bad", bad_settings(), ids=lambda bad: bad.title)
def test_a_bad_setting_gives_one_message_and_exit_2(
    bad: BadSetting,
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = shutil.copytree(prepared, tmp_path / "project")
    bad.write(folder)
    stage, *arguments = bad.stage.split()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", [stage, *arguments])
    with pytest.raises(SystemExit) as ended:
        run(importlib.import_module(f"stages.{stage}").main)
    message = capsys.readouterr().err
    assert ended.value.code == 2, message
    assert len(message) < LONGEST
    assert bad.file in message or bad.name.rpartition(".")[2] in message
    assert "is missing, expected an output of stage" not in message
