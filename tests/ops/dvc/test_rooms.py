"""Rooms as dependencies: what makes a stage stale, and mistakes with their cures."""

import shutil
from pathlib import Path

import pytest

from ops.verify.check import Check
from ops.verify.checks import check_all
from ops.verify.state import State
from tests.cures import cure_in
from tests.ops.rooms import edit_unseen, make_rooms, repro
from tests.ops.toy import call
from tests.ops.trivial import commit
from tests.project import run

FRESH = "Data and pipelines are up to date.\n"
STRAY = (".words.py.swp", "notes.md", "scratch.ipynb", "__pycache__/words.cpython-311.pyc")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_rooms(tmp_path_factory.mktemp("rooms") / "made")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "toy", symlinks=True))


def changed(folder: Path) -> str:
    """Return what `dvc status` calls changed."""
    return run(["dvc", "status"], cwd=folder).stdout


def checked(folder: Path) -> dict[str, Check]:
    return {check.name: check for check in check_all(State(folder, asks_remote=False))}


def put(folder: Path, path: str, text: str = "# new\n") -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)


def test_a_stray_file_in_a_room_makes_nothing_stale(folder: Path) -> None:
    for name in STRAY:
        put(folder, f"lab/core/{name}")
    assert changed(folder) == FRESH
    assert [name for name, check in checked(folder).items() if not check.passed] == []


def test_an_edit_in_a_room_makes_its_stage_stale(folder: Path) -> None:
    put(folder, "lab/core/words.py", 'WORD = "other"\n')
    assert "modified:           lab/core" in changed(folder)
    assert checked(folder)["lock"].found == ("tell: lab/core changed",)


def test_a_data_file_that_dvcignore_names_counts(folder: Path) -> None:
    put(folder, "lab/drift/false_alarms.json", "[]\n")
    assert checked(folder)["lock"].found == ("tell: lab/drift changed",)


def test_a_change_in_a_folder_that_dvc_overlooks_is_seen_by_verify(folder: Path) -> None:
    assert changed(folder) == FRESH  # and DVC notes each file's size and time
    edit_unseen(folder / "lab/core/words.py", '"one"', '"two"')
    edit_unseen(folder / "plots/tell/page.txt", "one", "two")
    commit(folder, "edit")
    assert changed(folder) == FRESH  # treeverse/dvc #11099
    overlooked = "changed, and DVC overlooks it: `touch` its files before `dvc repro`"
    assert checked(folder)["lock"].found == (f"tell: lab/core {overlooked}; plots/tell {overlooked}",)
    for path in ("lab/core/words.py", "plots/tell/page.txt"):
        (folder / path).touch()
    repro(folder)
    assert (folder / "plots/tell/page.txt").read_text() == "two"
    assert checked(folder)["lock"].passed


def test_a_room_that_is_imported_and_not_declared_is_named_and_cured(folder: Path) -> None:
    put(folder, "lab/extra/more.py")
    put(folder, "stages/tell.py", f"import lab.extra.more\n{(folder / 'stages/tell.py').read_text()}")
    assert checked(folder)["deps"].found == ("tell: lab/extra is imported and not declared",)
    done = call(folder, "deps")
    assert done.returncode == 1
    assert done.stdout == "tell:\n  lab/extra is imported and not declared\nCure: python -m ops deps --write\n"
    assert call(folder, "deps", "--write").returncode == 0
    assert "      - lab/extra\n" in (folder / "dvc.yaml").read_text()
    assert checked(folder)["deps"].passed


@pytest.mark.parametrize("path", ["lab/loose.py", "lab/stats/loose.py"])
def test_a_module_in_no_room_is_named_with_its_cure_and_never_declared(folder: Path, path: str) -> None:
    put(folder, "lab/stats/core/areas.py")
    put(folder, path)
    put(folder, "stages/tell.py", f"import {path[:-3].replace('/', '.')}\n{(folder / 'stages/tell.py').read_text()}")
    line = f"{path} is in no room, so no stage declares it. Cure: move it into the room of the stage that uses it"
    assert checked(folder)["deps"].found == (line,)
    done = call(folder, "deps", "--write")
    assert (done.returncode, done.stdout) == (1, f"{line}\n")
    cure_in(line, of="ops/dvc/rooms.py: move it into the room of the stage that uses it")
    moved = "lab/stats/core/loose.py"
    (folder / path).rename(folder / moved)
    source = (folder / "stages/tell.py").read_text()
    put(folder, "stages/tell.py", source.replace(path[:-3].replace("/", "."), moved[:-3].replace("/", ".")))
    assert call(folder, "deps", "--write").returncode == 0


def test_a_file_that_git_has_and_dvc_does_not_read_is_named_with_its_cure(folder: Path) -> None:
    put(folder, "lab/core/table.csv")
    commit(folder, "table")
    (line,) = checked(folder)["deps"].found
    assert line.startswith("lab/core/table.csv is in a room, and .dvcignore hides it from DVC. Cure: name it there, or")
    cure_in(line, of="ops/dvc/rooms.py: name it there, or move it out of `lab`")
    run(["git", "mv", "lab/core/table.csv", "table.csv"], cwd=folder)
    assert checked(folder)["deps"].passed
