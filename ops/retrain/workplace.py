"""A private clone in .dvc/tmp, in which a retraining works: the user's files, branches and HEAD are never touched.

It shares the repository's cache, so that what is made there can be checked out here.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.result_files import read_json, write_json
from ops.dvc.config import cache_folder, remote_folders, write_local_config
from ops.retrain.author import identity_of
from ops.revisions.git import git, text_of

FOLDER = Path(".dvc/tmp/retrain")
LEASH = Path(__file__).with_name("kill_with_parent.py")
LINES_KEPT = 400
# What DVC advises on every run; here nobody is to follow it.
HINT = re.compile(r"\s*$|To track the changes|\tgit add|To enable auto staging|\tdvc config|Use `dvc push`")
# Set by git for its hooks: they would lead a command in the clone back to the repository.
LEADING_BACK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and the last lines that it wrote."""

    code: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Workplace:
    """The clone, at `tree`, and what is noted beside it. `lock` is held by every command until it is dead."""

    root: Path
    lock: int
    tell: Callable[[str], None]

    @property
    def folder(self) -> Path:
        return self.root / FOLDER

    @property
    def tree(self) -> Path:
        return self.folder / "work"

    @property
    def exists(self) -> bool:
        return self.folder.is_dir()

    def noted(self, name: str) -> Any:
        """Return what was noted under a name, or None."""
        path = self.folder / f"{name}.json"
        return read_json(path) if path.is_file() else None

    def note(self, name: str, document: Any) -> None:
        """Note something beside the clone, atomically: it is there whole or not at all."""
        write_json(document, self.folder / f"{name}.json")

    def make(self, commit: str) -> None:
        """Start anew, with a clone at this commit."""
        self.remove()
        self.folder.mkdir(parents=True)
        git("clone", "--quiet", "--shared", "--no-checkout", str(self.root), str(self.tree))
        self.switch(commit)
        self._configure()

    def switch(self, commit: str, *, branch: str | None = None) -> None:
        """Put the clone's tracked files at a commit, whatever state they are in; outputs stay as they are."""
        place = ["-B", branch] if branch else ["--detach"]
        git("checkout", "--quiet", "--force", *place, commit, root=self.tree)

    def unlock(self) -> None:
        """Take away the locks of commands that were killed; whoever calls holds the one lock that counts."""
        (self.tree / ".git/index.lock").unlink(missing_ok=True)
        for name in ("lock", "rwlock", "rwlock.lock"):
            (self.tree / ".dvc/tmp" / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def bring_home(self, ref: str) -> str:
        """Return the commit of a ref of the clone once the user's repository has it, too."""
        git("fetch", "--quiet", "--no-tags", str(self.tree), f"+{ref}:{ref}", root=self.root)
        return text_of("rev-parse", ref, root=self.root)

    def run(self, *command: str) -> Outcome:
        """Run a command in the clone and tell its lines; it dies with this process, however that ends."""
        last: deque[str] = deque(maxlen=LINES_KEPT)
        with subprocess.Popen(
            [sys.executable, "-I", "-S", str(LEASH), *command],
            cwd=self.tree,
            env=environment_of(self.root),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=(self.lock,),
        ) as process:
            for line in process.stdout or ():
                last.append(line.rstrip())
                if not HINT.match(last[-1]):
                    self.tell(f"  {last[-1]}")
            code = process.wait()
        return Outcome(code, tuple(last))

    def _configure(self) -> None:
        local = self.root / ".dvc/config.local"
        if local.is_file():
            shutil.copy(local, self.tree / ".dvc/config.local")
        cache = {"dir": str(cache_folder(self.root))}
        write_local_config(self.tree, cache=cache, remotes=remote_folders(self.root))


def environment_of(root: Path) -> Mapping[str, str]:
    """Return what a command in the clone finds around it: nothing that leads back here, and who commits."""
    kept = {name: value for name, value in os.environ.items() if name not in LEADING_BACK}
    return {
        **kept,
        **identity_of(root, kept),
        "DVC_NO_ANALYTICS": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def last_words(outcome: Outcome, *, count: int = 12) -> str:
    """Return the end of what a command wrote."""
    return "\n".join(outcome.lines[-count:])
