"""Lock a file for one process at a time."""

import fcntl
import os
import time
from pathlib import Path
from typing import TextIO

PAUSE = 0.1  # seconds between two attempts
WAIT = 3.0  # seconds; by then the commands of a killed process are dead


def take_lock(path: Path, *, wait: float = 0.0) -> TextIO:
    """Return the lock file, locked until it is closed; raise BlockingIOError if it stays taken for `wait` seconds.

    The kernel frees the lock when the last process with the open file ends, so a killed process leaves none behind.
    The supervisors of its commands (ops/kill_with_parent.py) inherit the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = path.open("a+", encoding="utf-8")
    os.set_inheritable(stream.fileno(), True)  # noqa: FBT003 - it takes no names
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
