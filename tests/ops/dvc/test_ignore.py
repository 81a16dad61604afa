"""What our reading of a .dvcignore admits is what DVC's own walk finds."""

from pathlib import Path

from dvc.repo import Repo

from ops.dvc.ignore import admitted
from tests.ops.trivial import trivial
from tests.project import ROOT

RULES = (ROOT / ".dvcignore").read_text()
HIDDEN = [
    ".hg/store.py",
    ".venv/lib/module.py",
    "data/.half.partial/rows.csv",
    "lab/core/.params.py.swp",
    "lab/core/__pycache__/params.cpython-311.pyc",
    "lab/core/notes.md",
    "lab/core/scratch.ipynb",
    "lab/drift/other.json",
    "lab/note.txt",
    "lab/stats/core/table.csv",
]
READ = [
    "data/source/rows.csv",
    "lab/__init__.py",
    "lab/core/params.py",
    "lab/drift/false_alarms.json",
    "lab/stats/core/areas.py",
    "plots/lab/note.txt",
]


def test_the_files_that_the_rules_admit_are_those_that_dvc_walks_over(tmp_path: Path) -> None:
    folder = trivial(tmp_path / "toy", "", files={**dict.fromkeys([*HIDDEN, *READ], "x"), ".dvcignore": RULES})
    with Repo(str(folder)) as repository:
        walked = {
            Path(path).relative_to(folder).as_posix() for path in repository.dvcignore.find(repository.fs, str(folder))
        }
    assert set(READ) <= walked
    assert admitted([*HIDDEN, *READ], RULES) == READ
    assert walked.isdisjoint(HIDDEN)


def test_without_rules_everything_is_read_but_what_belongs_to_git_and_dvc() -> None:
    assert admitted(["a/b.txt", ".git/config", ".dvc/config"], "# nothing\n\n") == ["a/b.txt"]
