"""Wait for work of unknown length, and still react to Ctrl-C."""

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait

INTERVAL = 0.5  # seconds


def first_ended(running: Iterable[Future[None]]) -> set[Future[None]]:
    """Return what has ended, as soon as anything has.

    A thread that starts to wait misses a Ctrl-C from just before, so it wakes up regularly.
    """
    futures = list(running)
    while True:
        done = wait(futures, timeout=INTERVAL, return_when=FIRST_COMPLETED).done
        if done:
            return done
