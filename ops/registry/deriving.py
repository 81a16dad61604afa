"""Derive the model of a changed champion.yaml and commit it, or restore everything."""

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from lab.core.errors import LabError
from ops.kill_with_parent import running
from ops.revisions.git import changed_files, content_at, git, text_of
from ops.revisions.snapshot import Snapshot

README = "README.md"
GENERATED = ("champion.yaml", "dvc.lock", README, "docs/answer.svg", "docs/architecture.md", "docs/architecture.svg")
MARK = b"<!-- answer:begin -->"


class DerivingError(LabError):
    """A run failed, or gave another model than the judged one; everything is restored."""


def restore(root: Path) -> None:
    """Restore what the pipeline wrote since the last commit; keep a person's changes."""
    for name in _written(root):
        git("reset", "--quiet", "--", name, root=root, check=False)
        if content_at("HEAD", name, root=root) is None:
            (root / name).unlink(missing_ok=True)
        else:
            git("checkout", "--quiet", "HEAD", "--", name, root=root)
    dvc("checkout", "--quiet", "--force", "--allow-missing", root=root)


def undo_commit(root: Path, commit: str) -> bool:
    """Undo a commit and its outputs, and return True; return False if it is not the newest commit."""
    if text_of("rev-parse", "HEAD", root=root) != commit:
        return False
    if git("reset", "--quiet", "--keep", f"{commit}^", root=root, check=False).returncode:
        return False
    dvc("checkout", "--quiet", "--force", "--allow-missing", root=root)
    return True


def derive(root: Path, *, remote_is_complete: bool) -> None:
    """Run every stale stage, and update README.md.

    If the remote is complete, only inputs are pulled; otherwise missing outputs are derived again.
    """
    if dvc("repro", *(("--pull", "--allow-missing") if remote_is_complete else ()), root=root):
        raise DerivingError(
            "`dvc repro` failed, expected it to derive the champion; its output is above. Everything was restored. "
            "Cure: fix that, then try again."
        )
    readme = root / README
    if readme.is_file() and MARK in readme.read_bytes():
        done = _run([sys.executable, "-m", "ops", "readme"], root)
        if done:
            raise DerivingError("`python -m ops readme` failed; its output is above. Everything was restored.")


def commit_results(root: Path, message: str, *, after: str) -> str:
    """Commit champion.yaml and the results derived from it, and return the commit."""
    if (found := text_of("rev-parse", "HEAD", root=root)) != after:
        raise DerivingError(
            f"The branch moved to {found[:9]} while the champion was derived, expected {after[:9]}. Everything was "
            "restored. Try again."
        )
    written = _written(root)
    git("add", "--", *written, root=root)
    git("commit", "--quiet", "--message", message, "--", *written, root=root)
    return text_of("rev-parse", "HEAD", root=root)


def dvc(*arguments: str, root: Path, check: bool = False) -> int:
    """Run DVC with its output on standard error, and return its exit code; with `check`, raise on a failure."""
    code = _run([sys.executable, "-m", "dvc", *arguments], root)
    if code and check:
        raise DerivingError(f"`dvc {' '.join(arguments)}` failed; its output is above.")
    return code


def _run(command: Sequence[str], root: Path) -> int:
    with running(command, cwd=root, stdout=sys.__stderr__) as process:
        pass
    return process.returncode


def _written(root: Path) -> list[str]:
    """Return the changed files that the pipeline writes."""
    # The lock at HEAD names them all, because the lock is fresh before a change; the one here may be incomplete.
    lock = Snapshot("HEAD", "HEAD", root).lock
    outputs = [PurePosixPath(name) for stage in lock.values() for name in stage.outputs]
    return [
        name
        for name in changed_files(root=root)
        if name in GENERATED or any(PurePosixPath(name).is_relative_to(output) for output in outputs)
    ]
