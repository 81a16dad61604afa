"""Allow one promotion, registration or rollback at a time in a clone and its worktrees."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.lock import WAIT, take_lock
from ops.revisions.git import text_of

FILE = "registry.lock"


class LostError(Exception):
    """Another change came first; this one is undone, and the message says so."""


@contextmanager
def registry_lock(root: Path) -> Iterator[None]:
    """Hold the lock of a clone's registry; raise LostError when another process has it."""
    path = root / text_of("rev-parse", "--git-common-dir", root=root) / FILE
    try:
        lock = take_lock(path, wait=WAIT)
    except BlockingIOError as error:
        raise LostError(
            f"Another promotion or rollback runs in this repository (it holds {path}), expected one at a time. "
            "Nothing was changed. Wait until it ends, then see `python -m ops history`."
        ) from error
    with lock:
        yield
