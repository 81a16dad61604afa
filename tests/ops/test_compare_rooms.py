"""Code is compared file by file, whether a revision records files or rooms."""

import shutil
from pathlib import Path

import pytest

from ops.compare.freshness import stale_stages
from ops.compare.predicted import Store
from ops.compare.touched import code_change
from ops.revisions.objects import Objects
from ops.revisions.snapshot import snapshot_of
from tests.ops.rooms import PIPELINE, make_rooms, repro
from tests.ops.trivial import commit
from tests.project import run

AS_FILES = PIPELINE.replace(
    "      - lab/core\n      - lab/drift\n",
    "      - lab/core/__init__.py\n      - lab/core/words.py\n      - lab/drift/page.py\n",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository whose first revision records files of code, and whose main records rooms."""
    folder = make_rooms(tmp_path_factory.mktemp("rooms") / "made")
    (folder / "dvc.yaml").write_text(AS_FILES)
    repro(folder)
    commit(folder, "files")
    run(["git", "tag", "files"], cwd=folder)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "lab/drift/page.py").write_text("from lab.core.words import WORD\n\nPAGE = WORD.upper()\n")
    (folder / "lab/drift/notes.md").write_text("nothing that DVC reads\n")
    repro(folder)
    commit(folder, "rooms")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "toy", symlinks=True))


def files_of(folder: Path, base: str, head: str) -> dict[str, str]:
    """Return the files of code that differ, each with how."""
    change = code_change(snapshot_of(base, root=folder), snapshot_of(head, root=folder))
    assert change.touched == (("tell",) if change.files else ())
    return {each.path: each.kind for each in change.files}


def stale(folder: Path, name: str) -> dict[str, tuple[str, ...]]:
    store = Store(snapshot_of(name, root=folder), Objects(folder))
    return {each.stage: each.differs for each in stale_stages(store)}


def test_rooms_against_files_name_the_files_that_differ(made: Path) -> None:
    came = {"lab/drift/__init__.py": "added", "lab/drift/false_alarms.json": "added"}
    assert files_of(made, "files", "main") == {**came, "lab/drift/page.py": "changed"}
    assert files_of(made, "main", "files") == {**dict.fromkeys(came, "removed"), "lab/drift/page.py": "changed"}
    assert files_of(made, "main", "main") == {}


def test_a_file_that_dvc_does_not_read_is_no_code(made: Path) -> None:
    change = code_change(snapshot_of("files", root=made), snapshot_of("main", root=made))
    assert "lab/drift/notes.md" in [each.path for each in change.other]


def test_rooms_against_rooms_name_the_files_that_differ(folder: Path) -> None:
    (folder / "lab/core/words.py").write_text('WORD = "many"\n')
    (folder / "lab/core/more.py").write_text("")
    expected = {"lab/core/words.py": "changed", "lab/core/more.py": "added"}
    assert files_of(folder, "main", "workspace") == expected
    commit(folder, "edit")
    assert files_of(folder, "HEAD~1", "HEAD") == expected


def test_revisions_of_files_and_of_rooms_are_fresh(made: Path) -> None:
    assert [stale(made, name) for name in ("files", "main", "workspace")] == [{}, {}, {}]


def test_a_stray_file_in_a_room_makes_no_revision_stale_and_an_edit_does(folder: Path) -> None:
    (folder / "lab/core/notes.md").write_text("stray\n")
    assert stale(folder, "workspace") == {}
    (folder / "lab/core/words.py").write_text('WORD = "edited"\n')
    assert stale(folder, "workspace") == {"tell": ("lab/core",)}
    commit(folder, "edit")
    assert stale(folder, "main") == {"tell": ("lab/core",)}


def test_the_rules_of_the_revision_itself_decide_what_is_read(folder: Path) -> None:
    (folder / ".dvcignore").write_text("__pycache__\n")
    commit(folder, "admit everything")
    assert stale(folder, "main") == {"tell": ("lab/drift",)}
    assert stale(folder, "main~1") == {}


def test_a_folder_that_git_and_a_stage_write_into_is_fresh_until_either_changes(folder: Path) -> None:
    (folder / "dvc.yaml").write_text(
        "stages:\n  make:\n    cmd: mkdir -p made/part && echo 1 > made/part/it\n    outs: [made/part]\n"
        "  read:\n    cmd: cat made/part/it > read.txt\n    deps: [made]\n    outs: [read.txt]\n"
    )
    (folder / "made").mkdir()
    (folder / "made/README.md").write_text("what a stage writes here\n")
    repro(folder)
    commit(folder, "a folder of two")
    assert [stale(folder, name) for name in ("main", "workspace")] == [{}, {}]
    (folder / "made/README.md").write_text("edited\n")
    assert stale(folder, "workspace") == {"read": ("made",)}
