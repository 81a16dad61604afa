"""One retraining at a time in a repository: a lock that the kernel frees when its holders are dead."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.retrain.decision import Decision, EndedError

LOCK = Path(".dvc/tmp/retrain.lock")
PATIENCE = 3.0  # seconds in which what a killed run had started has surely died, too
PAUSE = 0.1


@contextmanager
def alone(path: Path, *, doing: str, patience: float = PATIENCE) -> Iterator[int]:
    """Yield the descriptor of the lock, for children to hold too; where another has it, end and say who.

    A run that was killed leaves no lock: the kernel frees it with the last process that holds it open.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, patience=patience)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"process": os.getpid(), "doing": doing}).encode(), 0)
        try:
            yield descriptor
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _take(descriptor: int, *, patience: float) -> None:
    for _ in range(max(1, round(patience / PAUSE))):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE)
        else:
            return
    raise EndedError(Decision("busy", (_who(descriptor),)))


def _who(descriptor: int) -> str:
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
        return (
            f"process {found['process']} is at {found['doing']}. Cure: wait until it ends, or end it; "
            "what it has done so far is not lost."
        )
    except (ValueError, KeyError, TypeError):
        return "it has only just begun. Cure: wait until it ends."
