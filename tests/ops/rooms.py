"""A DVC repository of one stage that reads two rooms of `lab`, run and committed."""

import os
from pathlib import Path

from tests.ops.trivial import commit, trivial
from tests.project import ROOT, run

PIPELINE = """\
stages:
  tell:
    cmd: python -m stages.tell
    deps:
      - lab/core
      - lab/drift
      - stages/tell.py
    outs:
      - plots/tell: {cache: false}
"""
FILES = {
    "dvc.yaml": PIPELINE,
    ".gitignore": "__pycache__/\n",
    ".dvcignore": (ROOT / ".dvcignore").read_text(),
    "lab/__init__.py": "",
    "lab/core/__init__.py": "",
    "lab/core/words.py": 'WORD = "one"\n',
    "lab/drift/__init__.py": "",
    "lab/drift/page.py": "from lab.core.words import WORD\n\nPAGE = WORD\n",
    "lab/drift/false_alarms.json": "{}\n",
    "stages/__init__.py": "",
    "stages/tell.py": (
        "import pathlib\n\nfrom lab.drift.page import PAGE\n\n"
        'pathlib.Path("plots/tell").mkdir(parents=True, exist_ok=True)\n'
        'pathlib.Path("plots/tell/page.txt").write_text(PAGE)\n'
    ),
}


def make_rooms(folder: Path) -> Path:
    """Return the repository on branch main."""
    trivial(folder, PIPELINE, files=FILES)
    (folder / "out").rmdir()
    repro(folder)
    commit(folder, "run")
    return folder


def repro(folder: Path) -> None:
    """Run what must run."""
    run(["dvc", "repro", "--quiet"], cwd=folder)


def edit_unseen(path: Path, old: str, new: str) -> None:
    """Change a file and keep its size and time, as some editors and copying tools do."""
    before = path.stat()
    text = path.read_text()
    assert old in text
    assert len(old) == len(new)
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
