"""Wait for work at whose end nobody knows, without sleeping through Ctrl-C."""

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait

NAP = 0.5  # seconds


def first_ended(at_work: Iterable[Future[None]]) -> set[Future[None]]:
    """Return what has ended, as soon as anything has.

    A thread that is about to sleep does not hear a Ctrl-C that came a moment before: it wakes, therefore, to listen.
    """
    futures = list(at_work)
    while True:
        done = wait(futures, timeout=NAP, return_when=FIRST_COMPLETED).done
        if done:
            return done
