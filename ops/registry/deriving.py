"""Run what a changed champion.yaml makes stale, commit what came out, or put everything back as it was."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from lab.core.errors import LabError
from ops.revisions.git import changed_files, content_at, git, text_of
from ops.revisions.snapshot import WORKSPACE, Snapshot

README = "README.md"
GENERATED = ("champion.yaml", "dvc.lock", README, "docs/answer.svg", "docs/architecture.md", "docs/architecture.svg")
MARK = b"<!-- answer:begin -->"


class DerivingError(LabError):
    """What had to run did not run to its end, or gave another model than was judged; everything was put back."""


@contextmanager
def put_back_on_failure(root: Path) -> Iterator[None]:
    """Leave the tracked files and the outputs as they were found, when the block does not end well."""
    try:
        yield
    except BaseException:
        put_back(root)
        raise


def put_back(root: Path) -> None:
    """Take back whatever the pipeline wrote since the last commit, and nothing that a person changed meanwhile."""
    for name in _made(root):
        git("reset", "--quiet", "--", name, root=root, check=False)
        if content_at("HEAD", name, root=root) is None:
            (root / name).unlink(missing_ok=True)
        else:
            git("checkout", "--quiet", "HEAD", "--", name, root=root)
    dvc("checkout", "--quiet", "--force", "--allow-missing", root=root)


def take_back(root: Path, commit: str) -> bool:
    """Return whether a commit of ours, with what it derived, could be taken back: only while it is the newest one."""
    if text_of("rev-parse", "HEAD", root=root) != commit:
        return False
    if git("reset", "--quiet", "--keep", f"{commit}^", root=root, check=False).returncode:
        return False
    dvc("checkout", "--quiet", "--force", "--allow-missing", root=root)
    return True


def derive(root: Path, *, remote_is_whole: bool) -> None:
    """Run every stage that is stale, and put README.md right after it.

    From a whole remote only what is read is pulled; where something is lost, what is not here is derived again, too.
    """
    if dvc("repro", *(("--pull", "--allow-missing") if remote_is_whole else ()), root=root):
        raise DerivingError(
            "`dvc repro` failed, expected it to derive the champion: what it said stands above. Everything was put "
            "back. Cure: put that right, then try again."
        )
    readme = root / README
    if readme.is_file() and MARK in readme.read_bytes():
        done = _run([sys.executable, "-m", "ops", "readme"], root)
        if done:
            raise DerivingError("`python -m ops readme` failed: what it said stands above. Everything was put back.")


def commit_results(root: Path, message: str, *, after: str) -> str:
    """Commit champion.yaml and what was derived from it, and return the commit."""
    if (found := text_of("rev-parse", "HEAD", root=root)) != after:
        raise DerivingError(
            f"The branch moved to {found[:9]} while the champion was derived, expected {after[:9]}. Everything was put "
            "back. Try again."
        )
    made = _made(root)
    git("add", "--", *made, root=root)
    git("commit", "--quiet", "--message", message, "--", *made, root=root)
    return text_of("rev-parse", "HEAD", root=root)


def dvc(*arguments: str, root: Path, check: bool = False) -> int:
    """Return DVC's exit code; what it says goes to standard error. With check, a refusal is an error."""
    code = _run([sys.executable, "-m", "dvc", *arguments], root)
    if code and check:
        raise DerivingError(f"`dvc {' '.join(arguments)}` failed: what it said stands above.")
    return code


def _run(command: Sequence[str], root: Path) -> int:
    return subprocess.run(command, cwd=root, stdout=sys.__stderr__, check=False).returncode


def _made(root: Path) -> list[str]:
    """Return the changed files that the pipeline writes."""
    outputs = [
        PurePosixPath(name)
        for commit in (None, "HEAD")
        for stage in Snapshot(commit or WORKSPACE, commit, root).lock.values()
        for name in stage.outputs
    ]
    return [
        name
        for name in changed_files(root=root)
        if name in GENERATED or any(PurePosixPath(name).is_relative_to(output) for output in outputs)
    ]
