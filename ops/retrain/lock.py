"""Allow one retraining at a time in a repository."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.lock import WAIT, take_lock
from ops.retrain.decision import Decision, EndedError

LOCK = Path(".dvc/tmp/retrain.lock")


@contextmanager
def retrain_lock(path: Path, *, doing: str, wait: float = WAIT) -> Iterator[None]:
    """Hold the lock of a repository's retraining; end as "busy" when another process has it."""
    try:
        lock = take_lock(path, wait=wait)
    except BlockingIOError:
        raise EndedError(Decision("busy", (_holder(path),))) from None
    with lock:
        lock.truncate(0)
        lock.write(json.dumps({"process": os.getpid(), "doing": doing}))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _holder(path: Path) -> str:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return (
            f"process {found['process']} runs {found['doing']}. Cure: wait until it ends, or stop it; no work is lost."
        )
    except (ValueError, KeyError, TypeError):
        return "it has just started. Cure: wait until it ends."
