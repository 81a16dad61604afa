"""Where the workers of one server put their numbers, so that whichever of them is asked can add up all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported


@contextmanager
def shared_numbers(workers: int) -> Iterator[None]:
    """Give several workers a folder for their numbers; one that the environment names is emptied first.

    A number is kept by process id, and ids come again: what another run left would be counted as this one's.
    """
    if named := os.environ.get(SHARED):
        folder = Path(named)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.db"):
            path.unlink()
        yield
    elif workers > 1:
        with tempfile.TemporaryDirectory(prefix="lab-metrics-") as made:
            os.environ[SHARED] = made
            try:
                yield
            finally:
                del os.environ[SHARED]
    else:
        yield


def forget_dead(folder: Path) -> None:
    """Remove the gauges of workers that have ended; what they counted stays, for counts must not fall."""
    for path in folder.glob("gauge_live*.db"):
        if not _lives(int(path.stem.rpartition("_")[2])):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
