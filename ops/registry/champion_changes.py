"""Read the changes of a task's champion from the history of champion.yaml."""

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
class ChampionChange:
    """A commit that changed a task's champion; `moment` is the commit's time in UTC.

    `followed` is the version of the entry before, which `replaces` must name; None for the first.
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
        """Whether an older version returned."""
        return self.seen


def line_of(root: Path) -> str:
    """Return the revision whose history is the registry: the main branch if it contains HEAD, else HEAD.

    So the checkout of an old tag does not report later versions as faults.
    """
    for name in MAIN:
        done = git("merge-base", "--is-ancestor", "HEAD", name, root=root, check=False)
        if done.returncode == 0:
            return name
    return "HEAD"


def champion_changes(task: str, *, root: Path, revision: str = "HEAD") -> list[ChampionChange]:
    """Return every change of a task's champion up to a revision, oldest first; the default counts until it has one."""
    if git("rev-parse", "--is-shallow-repository", root=root).stdout.strip() == b"true":
        raise LabError(
            "This clone is shallow, expected one with full history, because that is the registry. "
            "Cure: git fetch --unshallow --tags"
        )
    format_ = "--format=%H %ct"
    lines = lines_of("log", "--topo-order", "--reverse", format_, revision, "--", str(FILE), root=root)
    found: list[ChampionChange] = []
    for commit, made in (line.split() for line in lines):
        entry = entry_in(Snapshot(commit[:9], commit, root), task)
        last = found[-1] if found else None
        if entry is not None and (last is None or _identity(entry) != _identity(last.entry)):
            seen = any(each.version == entry["version"] for each in found)
            moment = datetime.fromtimestamp(int(made), UTC)
            found.append(ChampionChange(commit, moment, entry, last.version if last else None, seen))
    return found


def entry_in(snapshot: Snapshot, task: str) -> Mapping[str, Any] | None:
    """Return a task's entry of a revision as a mapping; None if there is no valid one."""
    try:
        content = snapshot.yaml(str(FILE))
    except LabError:
        return None  # an unreadable file names no champion
    entry = content.get(task, content.get(DEFAULT)) if isinstance(content, dict) else None
    return entry if isinstance(entry, dict) and type(entry.get("version")) is int else None


def _identity(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that distinguish champions."""
    return {name: entry.get(name) for name in ("version", "replaces", *SPECIFICATION)}
