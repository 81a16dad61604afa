"""The fast tests pass under another task, and without the sample tasks."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.project import ROOT, change_params, run


@pytest.mark.weekly
def test_the_fast_tests_pass_in_a_repository_with_another_task(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    run(["git", "clone", "--quiet", str(ROOT), str(copy)], cwd=tmp_path)
    change_params(copy, {"task": "table"})
    for task in (copy / "tasks").iterdir():
        if task.name != "table":
            shutil.rmtree(task)
    run(["git", "commit", "--quiet", "--all", "--message", "Keep one task"], cwd=copy)
    run([sys.executable, "-m", "pytest", "-m", "not slow", "tests"], cwd=copy)
