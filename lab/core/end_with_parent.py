"""End a stage and its workers when the process that started them is killed."""

import os
import signal
import threading
import time

INTERVAL = 0.25  # seconds


def end_with_parent() -> None:
    """Kill this process when its parent has ended.

    The parent's number is asked for again and again, because Linux alone has a signal for its end.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(INTERVAL)
    os.kill(os.getpid(), signal.SIGKILL)
