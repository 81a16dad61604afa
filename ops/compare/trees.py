"""Which files a revision has and which of them differ, by git's own fingerprints, without reading one from git."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ops.compare.changes import Kind
from ops.revisions.git import lines_of
from ops.revisions.snapshot import Snapshot


@dataclass(frozen=True)
class ChangedFile:
    """A file that differs between two revisions."""

    path: str
    kind: Kind


def files_at(snapshot: Snapshot, *folders: str) -> dict[str, str]:
    """Return the files below folders (all files without one) by path, each with git's fingerprint of its content."""
    if snapshot.commit is not None:
        listed = lines_of("ls-tree", "-r", "-z", snapshot.commit, "--", *folders, root=snapshot.root)
        return {path: head.split()[2] for head, path in (line.split("\t", 1) for line in listed)}
    listed = lines_of(
        "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *folders, root=snapshot.root
    )
    found = ((path, snapshot.root / path) for path in sorted(set(listed)))
    return {path: _blob(file) for path, file in found if file.is_file()}


def changed_files(old: dict[str, str], new: dict[str, str]) -> tuple[ChangedFile, ...]:
    """Return what differs between two lists of files, by path."""
    kinds: dict[str, Kind] = {
        **{path: "changed" for path in old.keys() & new.keys() if old[path] != new[path]},
        **dict.fromkeys(old.keys() - new.keys(), "removed"),
        **dict.fromkeys(new.keys() - old.keys(), "added"),
    }
    return tuple(ChangedFile(path, kinds[path]) for path in sorted(kinds))


def _blob(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
