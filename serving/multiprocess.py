"""The shared folder in which the workers of one server keep their metrics."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported


@contextmanager
def shared_metrics_folder(workers: int) -> Iterator[None]:
    """Create the metrics folder for several workers, or empty the one that the environment names.

    Metric files are named by process id, and ids repeat: files of an earlier run would be counted again.
    """
    if named := os.environ.get(MULTIPROCESS_DIR):
        folder = Path(named)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.db"):
            path.unlink()
        yield
    elif workers > 1:
        with tempfile.TemporaryDirectory(prefix="lab-metrics-") as made:
            os.environ[MULTIPROCESS_DIR] = made
            try:
                yield
            finally:
                del os.environ[MULTIPROCESS_DIR]
    else:
        yield


def forget_dead(folder: Path) -> None:
    """Remove the gauges of stopped workers; their counters stay, since a counter must not decrease."""
    for path in folder.glob("gauge_live*.db"):
        if not _is_running(int(path.stem.rpartition("_")[2])):
            path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
