"""Find the commit that last moved a value of a result."""

import json
from dataclasses import dataclass
from typing import Any

from lab.core.errors import SourceError
from lab.core.result_files import rounded
from ops.revisions.git import commit_of, lines_of, text_of
from ops.revisions.snapshot import Snapshot
from ops.why.values import Value, lines_with, lookup


@dataclass(frozen=True)
class Moved:
    """The commit that last moved a value; `old` is None where the parent has none, `change` where one is no number."""

    commit: str
    subject: str
    old: Any
    new: Any
    change: float | None


def last_move(path: str, key: str, here: Snapshot) -> tuple[Moved | None, tuple[str, ...]]:
    """Return the commit that last moved the value, and a note where the working tree or git's history says less."""
    root, head = here.root, commit_of("HEAD", root=here.root)
    now, committed = _at(here, path, key), _at(Snapshot("HEAD", head, root), path, key)
    if now != committed:
        was = f"{json.dumps(committed[0])} at HEAD" if committed else "no such value at HEAD"
        return None, (f"the value is not committed: {was}",)
    for commit in lines_of("log", "--format=%H", "--", path, root=root):
        old = _at(Snapshot(commit, f"{commit}^", root), path, key)
        if old != committed:
            if not old and (root / text_of("rev-parse", "--git-path", "shallow", root=root)).exists():
                return None, ("this clone is shallow: git fetch --unshallow brings the commits before",)
            subject = text_of("log", "-1", "--format=%s", commit, root=root)
            return Moved(commit, subject, old[0] if old else None, now[0], _change(old, now)), ()
    return None, ()


def _at(snapshot: Snapshot, path: str, key: str) -> Value:
    if not path.endswith(".json"):
        lines = lines_with((snapshot.read(path) or b"").decode(errors="replace"), key)
        return tuple(lines.values()) if len(lines) == 1 else ()
    try:
        document = snapshot.result(path)
    except SourceError:  # an old commit with a conflict in the file
        return ()
    return () if document is None else lookup(document, key)


def _change(old: Value, new: Value) -> float | None:
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (*old, *new))
    return rounded(new[0] - old[0]) if old and numbers else None
