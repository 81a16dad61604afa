"""Ask whether processes run."""

import os
import time
from collections.abc import Iterable
from pathlib import Path


def is_alive(process: int) -> bool:
    """Return whether a process runs; one that is dead and not yet reaped does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/status")
    return not status.is_file() or "State:\tZ" not in status.read_text()


def ended(processes: Iterable[int], *, within: float = 10.0) -> bool:
    """Return whether all of the processes end within some seconds."""
    deadline = time.monotonic() + within
    while any(map(is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(map(is_alive, processes))
