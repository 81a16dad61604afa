"""Which files a revision has, which of them differ, and what DVC records of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ops.compare.changes import Kind
from ops.dvc.fingerprints import folder_md5, md5_of
from ops.dvc.ignore import DVCIGNORE, admitted
from ops.revisions.git import contents_at, lines_of
from ops.revisions.lock import Item
from ops.revisions.snapshot import Snapshot


@dataclass(frozen=True)
class ChangedFile:
    """A file that differs between two revisions."""

    path: str
    kind: Kind


@dataclass(frozen=True)
class Tree:
    """The files of a revision in git; in the working tree also those that are new to git."""

    snapshot: Snapshot

    @cached_property
    def blobs(self) -> dict[str, str]:
        """Git's hash of each file by its path."""
        return files_at(self.snapshot)

    def files_of(self, item: Item) -> list[str]:
        """Return the files of an item of a dvc.lock: the file itself, or what DVC reads in the folder."""
        if not item.is_folder:
            return [item.path] if item.path in self.blobs else []
        return [path for path in self._admitted if path.startswith(f"{item.path}/")]

    def md5s(self, items: Iterable[Item]) -> dict[str, str]:
        """Return what DVC would record of each item, by its path; an item without files is left out."""
        files = {item: self.files_of(item) for item in items}
        known = self._md5s_of({path for paths in files.values() for path in paths})
        read = {item: [path for path in paths if path in known] for item, paths in files.items()}
        return {item.path: _md5(item, paths, known) for item, paths in read.items() if paths}

    def files_below(self, folder: Item) -> dict[str, str]:
        """Return the MD5 of each file that git has in a folder, by its path in the folder."""
        return {path[len(folder.path) + 1 :]: md5 for path, md5 in self._md5s_of(self.files_of(folder)).items()}

    @cached_property
    def _admitted(self) -> list[str]:
        return admitted(self.blobs, (self.snapshot.read(DVCIGNORE) or b"").decode(errors="replace"))

    def _md5s_of(self, paths: Iterable[str]) -> dict[str, str]:
        if self.snapshot.commit is not None:
            found = contents_at(self.snapshot.commit, sorted(paths), root=self.snapshot.root)
            return {path: md5_of(content) for path, content in found.items()}
        read = ((path, self.snapshot.read(path)) for path in sorted(paths))
        return {path: md5_of(content) for path, content in read if content is not None}


def files_at(snapshot: Snapshot, *folders: str) -> dict[str, str]:
    """Return the files below folders (all files without one) by path, each with git's hash of its content."""
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


def _md5(item: Item, files: list[str], md5s: dict[str, str]) -> str:
    if not item.is_folder:
        return md5s[item.path]
    return folder_md5({path[len(item.path) + 1 :]: md5s[path] for path in files})


def _blob(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
