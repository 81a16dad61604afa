"""One at a time: only one promotion, registration or rollback may be at work in a clone and its worktrees."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.revisions.git import text_of

FILE = "registry.lock"


class LostError(Exception):
    """Somebody else was first: nothing is left of what was tried, and the message says so."""


@contextmanager
def own_turn(root: Path) -> Iterator[None]:
    """Hold the registry of a clone; whoever comes meanwhile is turned away. The system lets go when a process dies."""
    folder = root / text_of("rev-parse", "--git-common-dir", root=root)
    with (folder / FILE).open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LostError(
                f"Another promotion or rollback is at work in this repository ({folder / FILE} is held), expected one "
                "at a time. Nothing was changed. Wait for it, then look at `python -m ops history`."
            ) from error
        yield
