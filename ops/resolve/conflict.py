"""Read a merge conflict: the two sides of dvc.lock and all unmerged paths."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import LabError
from ops.dvc.torn_files import breaks_off
from ops.revisions.git import content_at, git, lines_of
from ops.revisions.lock import Entry, entries_of
from ops.revisions.paths import inside_any

LOCK = "dvc.lock"
# Where git keeps the commit that is being merged, picked, reverted, rebased or popped.
THEIRS = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "refs/stash")
MARK = "<<<<<<< "
HUNK = re.compile(
    r"^<<<<<<< [^\n]*\n(?P<ours>.*?)(?:^\|{7}[^\n]*\n.*?)?^=======\n(?P<theirs>.*?)^>>>>>>> [^\n]*\n",
    re.MULTILINE | re.DOTALL,
)


class ForeignConflictError(LabError):
    """Something other than results is in conflict, which a person must decide."""


@dataclass(frozen=True)
class Side:
    """What one side of the merge records of each stage, by the name that git gives that side."""

    name: str
    entries: Mapping[str, Entry]


@dataclass(frozen=True)
class Conflict:
    """The sides, the commits with their results, and the paths in conflict."""

    sides: tuple[Side, ...]
    commits: tuple[str, ...]
    unmerged: tuple[str, ...]

    @property
    def results(self) -> set[str]:
        """Every path that a stage of either side writes."""
        entries = [entry for side in self.sides for entry in side.entries.values()]
        return {str(out["path"]) for entry in entries for out in entry.get("outs", [])}


def find_conflict(root: Path) -> Conflict | None:
    """Return what is in conflict, or None. A conflict that running stages cannot settle is refused."""
    unmerged = sorted({line.partition("\t")[2] for line in lines_of("ls-files", "--unmerged", "-z", root=root)})
    text = (root / LOCK).read_text(encoding="utf-8") if (root / LOCK).is_file() else ""
    if not unmerged and MARK not in text:
        return None
    theirs = next((name for name in THEIRS if _exists(name, root)), None)
    commits = ("HEAD", theirs) if theirs else ("HEAD",)
    conflict = Conflict(tuple(_sides(text, commits, root, in_index=LOCK in unmerged)), commits, tuple(unmerged))
    if foreign := [path for path in unmerged if path != LOCK and not inside_any(path, conflict.results)]:
        raise ForeignConflictError(
            f"{', '.join(foreign)}: found in conflict, expected conflicts in {LOCK} and in results only. Nothing was "
            "changed. Cure: decide these yourself (git status), `git add` them, and call this again."
        )
    return conflict


def _sides(text: str, commits: Sequence[str], root: Path, *, in_index: bool) -> Iterator[Side]:
    """Yield ours, theirs, and what the working tree has now: an earlier call may have run stages."""
    marked = MARK in text
    for name, stage, commit in zip(("ours", "theirs"), (":2", ":3"), (*commits, None), strict=False):
        if in_index:
            content = git("cat-file", "blob", f"{stage}:{LOCK}", root=root, check=False).stdout
        elif marked:
            content = _one_side(text, name).encode()
        else:
            content = (content_at(commit, LOCK, root=root) if commit else None) or b""
        yield Side(name, entries_of(content, where=f"{LOCK} of {name}"))
    if not marked and not breaks_off(text.encode()):
        yield Side("here", entries_of(text.encode()))


def _one_side(text: str, name: str) -> str:
    """Return text without its conflict markers, as one side has it."""
    return HUNK.sub(lambda hunk: str(hunk[name]), text)


def _exists(name: str, root: Path) -> bool:
    return git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", root=root, check=False).returncode == 0
