"""A dvc.lock that we write is, to the byte, the one that DVC writes."""

from pathlib import Path

from ops.dvc.lock_file import lock_text
from ops.revisions.lock import entries_of
from tests.ops.rooms import make_rooms


def test_entries_that_are_read_and_written_give_the_same_bytes(tmp_path: Path) -> None:
    lock = make_rooms(tmp_path / "toy") / "dvc.lock"
    assert lock_text(entries_of(lock.read_bytes())) == lock.read_text()
