"""Check what must hold before the registry changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import LabError
from lab.pages.markdown import counted
from ops.registry.tags import Registry, version_name
from ops.revisions.git import changed_files, git, text_of
from ops.verify.checks import everything_is_pushed, lock_is_fresh
from ops.verify.state import State

SHOWN = 5


@dataclass(frozen=True)
class Answer:
    """The result of a guard: what was found, and the cure after a no; `overruled` is a person's reason."""

    guard: str
    passed: bool
    found: str
    cure: str = ""
    overruled: str | None = None

    @property
    def stops(self) -> bool:
        return not self.passed and self.overruled is None


def answers_to_text(answers: Sequence[Answer]) -> str:
    """Return the answers as text."""
    width = max(len(answer.guard) for answer in answers)
    lines = []
    for answer in answers:
        word = "yes" if answer.passed else "NO " if answer.stops else "no "
        lines.append(f"{word}  {answer.guard.ljust(width)}  {answer.found}")
        if answer.overruled is not None and not answer.passed:
            lines.append(f"{' ' * (width + 7)}overruled: {answer.overruled}")
        elif not answer.passed:
            lines.append(f"{' ' * (width + 7)}Cure: {answer.cure}")
    return "\n".join(lines)


def checked(guard: str, check: Callable[[], Answer]) -> Answer:
    """Return the answer of a check; a check that fails to run is a no."""
    try:
        return check()
    except LabError as error:
        found, _, cure = str(error).partition(" Cure: ")
        return Answer(guard, passed=False, found=found, cure=cure or "see the message")


def working_tree_answers(root: Path, state: State, *, needs_branch: bool = True) -> list[Answer]:
    """Check what every change of the registry needs of the clone."""
    return [
        *([checked("on a branch", lambda: branch_is_checked_out(root))] if needs_branch else []),
        checked("tree is clean", lambda: tree_is_clean(root)),
        checked("committer is known", lambda: committer_is_known(root)),
        checked("lock is fresh", lambda: lock_is_true(state)),
    ]


def tree_is_clean(root: Path) -> Answer:
    changed = changed_files(root=root)
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    found = f"{', '.join(changed[:SHOWN])}{more}" if changed else "no changed or new file"
    return Answer("tree is clean", not changed, found, "commit or restore it: git status")


def branch_is_checked_out(root: Path) -> Answer:
    done = git("symbolic-ref", "--quiet", "--short", "HEAD", root=root, check=False)
    name = done.stdout.decode().strip()
    found = name or f"HEAD is detached at {text_of('rev-parse', '--short', 'HEAD', root=root)}"
    return Answer("on a branch", bool(name), found, "git switch main, or git switch --create NAME")


def committer_is_known(root: Path) -> Answer:
    done = git("var", "GIT_COMMITTER_IDENT", root=root, check=False)
    known = done.returncode == 0
    found = "git has a name and an address" if known else "git has no name or no address"
    return Answer("committer is known", known, found, "git config user.name NAME; git config user.email ADDRESS")


def lock_is_true(state: State) -> Answer:
    check = lock_is_fresh(state)
    return Answer("lock is fresh", check.passed, "; ".join([check.summary, *check.found]), check.cure)


def objects_are_pushed(state: State) -> Answer:
    check = everything_is_pushed(state)
    return Answer("objects are on the remote", check.passed, "; ".join([check.summary, *check.found]), check.cure)


def contains(descendant: str, commit: str, root: Path) -> bool:
    """Return whether `descendant` is `commit` or a descendant of it."""
    return git("merge-base", "--is-ancestor", commit, descendant, root=root, check=False).returncode == 0


def versions_are_behind(registry: Registry, root: Path) -> Answer:
    """Check that HEAD contains every registered version, so that promotions form a line."""
    apart = [tag.name for tag in registry.versions.values() if not contains("HEAD", tag.commit, root)]
    last = max(registry.versions, default=0)
    summary = (
        f"the last of {counted(len(registry.versions), 'version')} is {version_name(last)}" if last else "none yet"
    )
    found = (
        f"HEAD does not contain {', '.join(apart)}" if apart else f"HEAD contains every registered version: {summary}"
    )
    return Answer("after every version", not apart, found, "git switch main; git pull --tags; then try again")
