"""Work in a private clone; the user's files, branches and HEAD stay untouched.

The clone shares the repository's cache, so its outputs can be checked out in the repository.
"""

import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.result_files import read_json, write_json
from ops.dvc.config import cache_folder, remote_folders, write_local_config
from ops.kill_with_parent import running
from ops.revisions.git import git, text_of

FOLDER = Path(".dvc/tmp/retrain")
LINES_KEPT = 400
# Advice that DVC prints on every run, useless here.
HINT = re.compile(r"\s*$|To track the changes|\tgit add|To enable auto staging|\tdvc config|Use `dvc push`")
# Git sets these for its hooks; they would redirect a command in the clone to the repository.
REDIRECTING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


@dataclass(frozen=True)
class Outcome:
    """A command's exit code and its last lines of output."""

    code: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Workplace:
    """The clone, at `tree`, with notes beside it."""

    root: Path
    log: Callable[[str], None]

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
        """Return the note of a name, or None."""
        path = self.folder / f"{name}.json"
        return read_json(path) if path.is_file() else None

    def note(self, name: str, document: Any) -> None:
        """Write a note beside the clone, atomically."""
        write_json(document, self.folder / f"{name}.json")

    def make(self, commit: str) -> None:
        """Replace the clone by a new one at this commit."""
        self.remove()
        self.folder.mkdir(parents=True)
        git("clone", "--quiet", "--shared", "--no-checkout", str(self.root), str(self.tree))
        self.switch(commit)
        self._configure()

    def switch(self, commit: str, *, branch: str | None = None) -> None:
        """Check out a commit in the clone, discarding changes of tracked files; outputs stay."""
        place = ["-B", branch] if branch else ["--detach"]
        git("checkout", "--quiet", "--force", *place, commit, root=self.tree)

    def unlock(self) -> None:
        """Remove the locks of killed commands; the caller holds the lock of the retraining."""
        (self.tree / ".git/index.lock").unlink(missing_ok=True)
        for name in ("lock", "rwlock", "rwlock.lock"):
            (self.tree / ".dvc/tmp" / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the clone and its notes."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def bring_home(self, ref: str) -> str:
        """Fetch a ref of the clone into the user's repository, and return its commit."""
        git("fetch", "--quiet", "--no-tags", str(self.tree), f"+{ref}:{ref}", root=self.root)
        return text_of("rev-parse", ref, root=self.root)

    def run(self, *command: str) -> Outcome:
        """Run a command in the clone and log its lines; it dies with this process."""
        last: deque[str] = deque(maxlen=LINES_KEPT)
        with running(
            command,
            cwd=self.tree,
            env=environment_of(self.root),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                last.append(line.rstrip())
                if not HINT.match(last[-1]):
                    self.log(f"  {last[-1]}")
        return Outcome(process.returncode, tuple(last))

    def _configure(self) -> None:
        local = self.root / ".dvc/config.local"
        if local.is_file():
            shutil.copy(local, self.tree / ".dvc/config.local")
        cache = {"dir": str(cache_folder(self.root))}
        write_local_config(self.tree, cache=cache, remotes=remote_folders(self.root))


def environment_of(root: Path) -> Mapping[str, str]:
    """Return the environment of a command in the clone: with an author, without redirecting variables."""
    kept = {name: value for name, value in os.environ.items() if name not in REDIRECTING}
    return {
        **kept,
        **identity_of(root, kept),
        "DVC_NO_ANALYTICS": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def identity_of(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return git's variables for author and committer: the given ones, else git's settings, else "retrain"."""
    found = {}
    for part, default in {"name": "retrain", "email": "retrain@localhost.invalid"}.items():
        configured = git("config", "--get", f"user.{part}", root=root, check=False).stdout.decode().strip()
        for role in ("AUTHOR", "COMMITTER"):
            name = f"GIT_{role}_{part.upper()}"
            found[name] = environment.get(name) or configured or default
    return found


def last_lines(outcome: Outcome, *, count: int = 12) -> str:
    """Return the last lines of a command's output."""
    return "\n".join(outcome.lines[-count:])
