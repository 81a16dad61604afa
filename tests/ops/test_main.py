"""What holds for every verb: its help, and which Python and DVC its commands find."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.__main__ import application
from ops.verbs import VERBS
from tests.project import QUIET, ROOT, run

ASKS = "import shutil, ops.__main__ as m; m.put_this_python_first(); print(shutil.which('python'), shutil.which('dvc'))"


def test_commands_are_those_beside_this_interpreter_though_nobody_activated_anything() -> None:
    bare = {**QUIET, "PATH": "/usr/bin:/bin"}
    found = subprocess.run([sys.executable, "-c", ASKS], cwd=ROOT, env=bare, capture_output=True, text=True, check=True)
    folder = Path(sys.executable).parent
    assert found.stdout.split() == [str(folder / "python"), str(folder / "dvc")]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_whose_examples_keep_their_lines(verb: str) -> None:
    printed = CliRunner().invoke(application, [verb, "--help"], prog_name="python -m ops").output
    assert printed.startswith(f"Usage: python -m ops {verb}")
    assert "\\b" not in printed
    assert "\b" not in printed


def test_every_verb_is_listed() -> None:
    printed = run(["python", "-m", "ops", "--help"], cwd=ROOT).stdout
    assert [verb for verb in VERBS if f"\n  {verb} " not in printed] == []
