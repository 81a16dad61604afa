"""Check out a revision, and lose nothing that git does not have."""

from pathlib import Path

from lab.core.errors import LabError
from lab.pages.markdown import counted
from ops.revert.note import Note
from ops.revisions.git import changed_files, commit_of, content_at, git, text_of

SHOWN = 10


class DirtyError(LabError):
    """An uncommitted change would be lost."""


def current(root: Path) -> str:
    """Return what git calls the revision that is checked out: its branch, or its commit where there is none."""
    done = git("symbolic-ref", "--short", "--quiet", "HEAD", root=root, check=False)
    return done.stdout.decode().strip() if done.returncode == 0 else text_of("rev-parse", "--short", "HEAD", root=root)


def refuse_changes(root: Path, *, killed: Note | None) -> None:
    """Refuse a tree with uncommitted changes; those of a killed revert do not count."""
    dirty = [path for path in changed_files(root=root) if killed is None or not _left_by(killed, path, root)]
    if dirty:
        more = f" and {len(dirty) - SHOWN} more" if len(dirty) > SHOWN else ""
        raise DirtyError(
            f"found {counted(len(dirty), 'file')} that no commit holds ({', '.join(dirty[:SHOWN])}{more}), expected a "
            "clean tree, so that nothing is lost. Cure: `git commit` them, or put them aside: "
            "git stash --include-untracked"
        )


def check_out(name: str, commit: str, *, branch: str | None, root: Path, by_force: bool) -> None:
    """Check a revision out: a branch by its name, anything else without a branch, or on a new one."""
    if branch is not None:
        _check_branch(branch, commit, root)
    local = git("show-ref", "--verify", "--quiet", f"refs/heads/{branch or name}", root=root, check=False)
    where = [branch or name] if local.returncode == 0 else ["-b", branch, commit] if branch else ["--detach", commit]
    git("checkout", "--quiet", *(["--force"] if by_force else []), *where, "--", root=root)


def restore_files(root: Path) -> list[str]:
    """Restore what git tracks; return the files that had changed."""
    changed = [path for path in changed_files(root=root) if content_at("HEAD", path, root=root) is not None]
    if changed:
        git("checkout", "--quiet", "HEAD", "--", *changed, root=root)
    return changed


def _left_by(killed: Note, path: str, root: Path) -> bool:
    """Return whether a file is as it was, as it will be, on its way from one to the other, or DVC's to rewrite."""
    if Path(path).name == "dvc.lock":
        return True
    place = root / path
    found = place.read_bytes() if place.is_file() else None
    return found is None or found in (content_at(commit, path, root=root) for commit in (killed.start, killed.target))


def _check_branch(branch: str, commit: str, root: Path) -> None:
    if git("check-ref-format", "--branch", branch, root=root, check=False).returncode:
        raise LabError(f"--branch {branch}: expected a name that git allows. Cure: letters, digits, - and /")
    there = git("show-ref", "--verify", "--quiet", f"refs/heads/{branch}", root=root, check=False).returncode == 0
    if there and commit_of(f"refs/heads/{branch}", root=root) != commit:
        raise LabError(
            f"--branch {branch}: found a branch of that name at another commit, expected a new one. "
            f"Cure: another name, or `git checkout {branch}`"
        )
