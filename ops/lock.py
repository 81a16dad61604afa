"""Lock a file for one process at a time."""

import fcntl
import time
from pathlib import Path
from typing import TextIO

PAUSE = 0.1  # seconds between two attempts


def take_lock(path: Path, *, wait: float = 0.0) -> TextIO:
    """Return the lock file, locked until it is closed; raise BlockingIOError if it stays taken for `wait` seconds.

    The kernel frees the lock when the last process with the open file ends, so a killed process leaves none behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = path.open("a+", encoding="utf-8")
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                stream.close()
                raise
            time.sleep(PAUSE)
        else:
            return stream
