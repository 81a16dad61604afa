"""README.md is true: commands, drawing, tables and links."""

import re
import shlex
from pathlib import Path

import pytest

from ops.readme.architecture import stage_arrows
from tests.history import copy_of_history
from tests.project import ROOT, WORLD, run

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line]
# Commands that cannot run here, and the test that covers each.
ELSEWHERE = {
    "make test": "this is that command",
    "make story": "tests/ops/test_story.py runs it",
    "make monitor": "tests/ops/test_monitor.py runs it",
    "make serve": "tests/serving starts that server",
    "make repro": "`python -m ops repro` after an installation; CI runs it in a fresh clone",
    ". .venv/bin/activate": "the tests run in that environment",
}
# The tests' project has no synthetic data, so its commands use a task on files.
INSTEAD = {"dvc exp run -S task=high_value_sale": "dvc exp run -S task=table"}


def test_there_are_commands_to_run() -> None:
    assert len(COMMANDS) > 12
    assert {*ELSEWHERE} <= set(COMMANDS)


@pytest.mark.slow
def test_the_commands_run_in_their_order(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    project = copy_of_history(tmp_path_factory, tmp_path / "project")
    for command in COMMANDS:
        if command not in ELSEWHERE:
            done = run(shlex.split(INSTEAD.get(command, command)), cwd=project, environment={"COLUMNS": "400"})
            if command.startswith("dvc exp show"):
                assert 20 < max(map(len, done.stdout.splitlines())) <= 160


@pytest.mark.parametrize("target", ["repro", "test", "check", "help", "reproduce"])
def test_the_commands_of_make_are_targets(target: str) -> None:
    assert run(["make", "--dry-run", target], cwd=ROOT).returncode == 0


def test_help_lists_every_target_with_a_word_users_targets_first() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = [name for names in re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE) for name in names.split()]
    shown = run(["make", "help"], cwd=ROOT).stdout
    assert re.findall(r"^  ([a-z-]+) +\S", shown, flags=re.MULTILINE) == targets
    assert shown.index("Targets for you") < shown.index(" repro ") < shown.index("Targets that the workflows call")
    assert shown.index("Targets that the workflows call") < shown.index(" hand-over ")


def test_the_drawing_is_the_dag_without_detours() -> None:
    arrows = stage_arrows(run(["dvc", "dag", "--mermaid"], cwd=ROOT).stdout)
    drawn = re.findall(r"^  (\w+) --> (\w+)$", README, flags=re.MULTILINE)
    reached = set(drawn)
    for _ in arrows:
        reached |= {(start, later) for start, end in reached for begin, later in drawn if begin == end}
    assert reached == {(start, later) for start, ends in arrows.items() for later in ends} | reached
    assert all(end in arrows[start] for start, end in drawn)


def test_the_generated_parts_are_up_to_date() -> None:
    done = run(["python", "-m", "ops", "readme", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


def test_every_stage_is_described() -> None:
    stages = run(["dvc", "stage", "list", "--name-only"], cwd=ROOT).stdout.split()
    table = README.partition("| stage | what it does |")[2].partition("\n\n")[0]
    described = re.findall(r"^\| (\w+) \|", table, flags=re.MULTILINE)
    names = {name.split("@")[0] for name in stages}
    assert names <= set(described)
    assert set(described) - names <= set(WORLD), "Cure: remove the row of a stage that is gone"


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_point_to_files(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("place", re.findall(r"^\| `([^`]+/?)`(?:, `([^`]+)`)?", README, flags=re.MULTILINE))
def test_named_places_exist(place: tuple[str, str]) -> None:
    made_by_a_run = {"data/truth/", "models/"}
    assert all((ROOT / name).exists() for name in place if name and name not in made_by_a_run)
