"""Stop a query of a database after a time limit."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab.core.errors import SourceError

AGAIN = 0.2  # seconds between two stops: one that comes between two statements has no effect


@contextmanager
def time_limit(minutes: float, *, stop: Callable[[], None], message: str) -> Iterator[None]:
    """Call `stop` in another thread from the limit on; the error that it causes becomes one with this message."""
    ended, late = threading.Event(), threading.Event()

    def watch() -> None:
        if ended.wait(60 * minutes):
            return
        late.set()
        stop()
        while not ended.wait(AGAIN):
            stop()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        if late.is_set():
            raise SourceError(message) from error
        raise
    finally:
        ended.set()
        watcher.join()
