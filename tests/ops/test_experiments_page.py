"""docs/experiments.md is true: its commands run in their order, on the project with a past."""

import re
import shlex
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ops.sweep.settings import listed_in
from tests.history import copy_of_history
from tests.project import ROOT, run

PAGE = (ROOT / "docs/experiments.md").read_text()
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()]
ELSEWHERE = {"dvc queue start --jobs 2": "it leaves a worker behind that outlives the test"}


@pytest.mark.slow
def test_the_commands_run_in_their_order(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    project = copy_of_history(tmp_path_factory, tmp_path / "project")
    assert set(ELSEWHERE) <= set(COMMANDS)
    for command in COMMANDS:
        if command not in ELSEWHERE:
            done = run(["bash", "-c", command] if "|" in command else shlex.split(command), cwd=project)
            if command == "python -m ops experiments":
                assert "wide-margin  margin=0.02" in done.stdout
                assert "equivalent (0.0000, 0.0000 to 0.0000)" in done.stdout
            if command.startswith("COLUMNS=160"):
                assert "select.margin" in done.stdout
                assert max(map(len, done.stdout.splitlines())) <= 160
            if "--dry-run" not in command and "ops sweep" in command:
                assert "The best of 2 is partly chosen by chance" in done.stdout
    assert run(["git", "status", "--porcelain"], cwd=project).stdout == ""


def test_the_file_of_runs_that_is_shown_is_one(tmp_path: Path) -> None:
    shown = re.search(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert shown is not None
    (tmp_path / "runs.yaml").write_text(shown.group(1))
    assert len(listed_in(tmp_path / "runs.yaml")) == len(YAML().load(shown.group(1))) == 2
