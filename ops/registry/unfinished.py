"""Finish or undo a promotion or rollback that was killed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.core.result_files import write_json
from ops.dvc.torn_files import mend_rwlock
from ops.note import read_note
from ops.registry.deriving import restore, undo_commit
from ops.registry.entries import entry_at
from ops.registry.guards import Answer, contains
from ops.registry.lock import registry_lock
from ops.registry.outcome import Change
from ops.registry.place import Place
from ops.registry.tags import drop_tags
from ops.revisions.git import remove_left_locks, text_of
from ops.revisions.snapshot import snapshot_of

NOTE = Path(".dvc/tmp/registry.json")

Verb = Literal["promote", "rollback"]


@dataclass(frozen=True)
class Note:
    """A change in progress: the commit and the tags before it, and the subject of its own commit."""

    verb: Verb
    subject: str
    start: str
    tags: list[str]


@contextmanager
def registry_change(root: Path, *, dry_run: bool) -> Iterator[None]:
    """Hold the lock of a clone's registry for a change; when it ends, nothing is in progress."""
    with registry_lock(root):
        yield
        if not dry_run:
            _forget(root)


@contextmanager
def in_progress(place: Place, verb: Verb, *, message: str) -> Iterator[None]:
    """Note a change until it is registered; restore tracked files and outputs if the block fails."""
    tags = [tag.name for tag in place.registry.tags]
    write_json(Note(verb, message.splitlines()[0], place.head, tags), place.root / NOTE)
    try:
        yield
    except BaseException:
        restore(place.root)
        _forget(place.root)
        raise


def taken_up(place: Place, verb: Verb | None, *, dry_run: bool, version: int | None = None) -> Change | None:
    """Return the killed change if it made its commit and is the one of this call; else put back what it left.

    The call is for any change without a verb, and for any version without one.
    """
    note = read_note(place.root / NOTE, Note)
    if note is None or (place.head != note.start and not _is_of(note, place)):
        return None
    remove_left_locks(place.root)
    mend_rwlock(place.root)
    restore(place.root)
    if place.head == note.start:
        _say(f"An earlier {note.verb} was killed here; its changes are put back.")
        return None
    entry = entry_at(snapshot_of("HEAD", root=place.root), place.task)
    found = f"an earlier {note.verb} was killed after its commit {place.head[:9]}; this call goes on from there"
    if dry_run or (verb in (None, note.verb) and version in (None, entry.version)):
        answer = Answer("earlier call", passed=True, found=found)
        commit = None if dry_run else place.head
        return Change(
            place.task, entry.version, entry.replaces or 0, entry.because or "", (answer,), entry.gain, commit
        )
    if not (place.shared and place.shared.tip and contains(place.shared.tip, place.head, place.root)):
        _say(f"An earlier {note.verb} was killed here. {undone(place, place.head)}")
    return None


def undone(place: Place, commit: str) -> str:
    """Undo a change's commit and its tags, and return a sentence about it."""
    note = read_note(place.root / NOTE, Note)
    if not undo_commit(place.root, commit):
        return f"The commit {commit[:9]} was kept, because it is not the newest one any more."
    kept = {*(note.tags if note else ()), *(place.shared.tags if place.shared else ())}
    drop_tags(place.root, [tag.name for tag in place.registry.tags if note and tag.name not in kept])
    _forget(place.root)
    return f"The commit {commit[:9]} was undone."


def _is_of(note: Note, place: Place) -> bool:
    """Return whether HEAD is the commit of a change."""
    return text_of("log", "-1", "--format=%P %s", root=place.root) == f"{note.start} {note.subject}"


def _forget(root: Path) -> None:
    (root / NOTE).unlink(missing_ok=True)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
