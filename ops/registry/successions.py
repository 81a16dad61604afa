"""Who took whose place: every change of a task's champion that the history of champion.yaml tells, oldest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.model_files.specification import Specification
from lab.train.champion import DEFAULT, FILE
from ops.revisions.git import git, lines_of
from ops.revisions.snapshot import Snapshot

MAIN = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/heads/main")
SPECIFICATION = (*Specification.model_fields, "trained_until")


@dataclass(frozen=True)
class Succession:
    """A commit that gave a task another champion, as its entry tells it; `moment` is the commit's, in UTC.

    `followed` is the version that the entry before it had, which `replaces` must name; None for the first.
    """

    commit: str
    moment: datetime
    entry: Mapping[str, Any]
    followed: int | None
    seen: bool

    @property
    def version(self) -> int:
        return int(self.entry["version"])

    @property
    def replaces(self) -> int | None:
        found = self.entry.get("replaces")
        return int(found) if found is not None else None

    @property
    def rolled_back(self) -> bool:
        """Whether an older version came back."""
        return self.seen


def line_of(root: Path) -> str:
    """Return the revision whose past is the registry: the main branch where HEAD lies behind it, and else HEAD.

    A checkout of an old tag, as a workflow makes it, must not take what came later for an error.
    """
    for name in MAIN:
        done = git("merge-base", "--is-ancestor", "HEAD", name, root=root, check=False)
        if done.returncode == 0:
            return name
    return "HEAD"


def successions(task: str, *, root: Path, revision: str = "HEAD") -> list[Succession]:
    """Return every change of a task's champion up to a revision, oldest first; the default's count until it has one."""
    if git("rev-parse", "--is-shallow-repository", root=root).stdout.strip() == b"true":
        raise LabError(
            "This clone is shallow, expected one with its whole history, for that is the registry. "
            "Cure: git fetch --unshallow --tags"
        )
    format_ = "--format=%H %ct"
    lines = lines_of("log", "--topo-order", "--reverse", format_, revision, "--", str(FILE), root=root)
    found: list[Succession] = []
    for commit, made in (line.split() for line in lines):
        entry = entry_in(Snapshot(commit[:9], commit, root), task)
        last = found[-1] if found else None
        if entry is not None and (last is None or _told(entry) != _told(last.entry)):
            seen = any(each.version == entry["version"] for each in found)
            moment = datetime.fromtimestamp(int(made), UTC)
            found.append(Succession(commit, moment, entry, last.version if last else None, seen))
    return found


def entry_in(snapshot: Snapshot, task: str) -> Mapping[str, Any] | None:
    """Return a task's entry as it was written then, under whatever rules; None where there was none that counts."""
    try:
        content = snapshot.yaml(str(FILE))
    except LabError:
        return None  # a file that nobody could read made nobody champion
    entry = content.get(task, content.get(DEFAULT)) if isinstance(content, dict) else None
    return entry if isinstance(entry, dict) and type(entry.get("version")) is int else None


def _told(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a champion another one."""
    return {name: entry.get(name) for name in ("version", "replaces", *SPECIFICATION)}
