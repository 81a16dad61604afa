"""Run git, and turn a refusal into one message."""

import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from lab.core.errors import LabError
from ops.lock import PAUSE, WAIT


class GitError(LabError):
    """Git refused a command."""


def git(
    *arguments: str,
    root: Path = Path(),
    check: bool = True,
    environment: Mapping[str, str] | None = None,
    given: bytes | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Return what git did with what was `given` on its standard input; `environment` replaces the process's own.

    A refusal is an error unless check is off.
    """
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False, env=environment, input=given)
    if check and done.returncode:
        said = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise GitError(f"`git {' '.join(arguments)}` was refused: {said}. Look at it with `git status`.")
    return done


def text_of(*arguments: str, root: Path = Path()) -> str:
    """Return what git prints, without the newline at its end."""
    return git(*arguments, root=root).stdout.decode().rstrip("\n")


def lines_of(*arguments: str, root: Path = Path()) -> list[str]:
    """Return the lines that git prints; give it -z where a name may hold a newline or a quote."""
    found = git(*arguments, root=root).stdout.decode()
    return [line for line in found.split("\0" if "-z" in arguments else "\n") if line]


def commit_of(name: str, *, root: Path = Path()) -> str:
    """Return the full commit of a branch, tag, short commit or DVC experiment."""
    done = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", root=root, check=False)
    if done.returncode == 0:
        return done.stdout.decode().strip()
    experiments = lines_of("for-each-ref", "--format=%(objectname) %(refname)", "refs/exps", root=root)
    found = sorted({line.split()[0] for line in experiments if line.split()[1].split("/")[-1] == name})
    if len(found) == 1:
        return found[0]
    what = "several DVC experiments of that name" if found else "no branch, tag, commit or DVC experiment of that name"
    raise GitError(
        f"{name!r} is no revision of this repository: found {what}, expected one. "
        "Cure: `git branch --all`, `git tag` and `dvc exp list --all` show them; `git fetch --tags` brings more."
    )


def content_at(commit: str, path: str, *, root: Path = Path()) -> bytes | None:
    """Return a file's content at a commit, or None where the commit has no such file."""
    done = git("cat-file", "blob", f"{commit}:{path}", root=root, check=False)
    return done.stdout if done.returncode == 0 else None


def contents_at(commit: str, paths: Iterable[str], *, root: Path = Path()) -> dict[str, bytes]:
    """Return the content of those of the files that the commit has, asking git once for all of them."""
    names = [path for path in paths if "\n" not in path]
    requests = "".join(f"{commit}:{name}\n" for name in names).encode()
    answer, found, at = git("cat-file", "--batch", root=root, given=requests).stdout, {}, 0
    for name in names:
        line_end = answer.index(b"\n", at)
        _, kind, *size = answer[at:line_end].rsplit(b" ", 2)
        at = line_end + 1
        if not size or not size[0].isdigit():
            continue  # git says that it is missing
        if kind == b"blob":
            found[name] = answer[at : at + int(size[0])]
        at += int(size[0]) + 1
    return found


def changed_files(*, root: Path = Path()) -> list[str]:
    """Return the files that differ from HEAD or are new to git; ignored ones are not among them."""
    return sorted(
        line[3:] for line in lines_of("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", root=root)
    )


def remove_left_locks(root: Path) -> None:
    """Remove the lock files that git commands left when they were killed; wait for those that still run."""
    deadline = time.monotonic() + WAIT
    folders = {root / text_of("rev-parse", name, root=root) for name in ("--git-dir", "--git-common-dir")}
    while (left := [path for folder in folders for path in _locks_of(folder)]) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    for path in left:
        path.unlink(missing_ok=True)


def _locks_of(folder: Path) -> list[Path]:
    own = [path for name in ("HEAD", "config", "index", "packed-refs") if (path := folder / f"{name}.lock").exists()]
    return [*own, *(folder / "refs").rglob("*.lock")]
