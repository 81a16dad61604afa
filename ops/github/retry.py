"""Ask a service again that did not answer: after growing waits, so many times, for so long."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ops.github.errors import UnansweredError

Found = TypeVar("Found")


@dataclass(frozen=True)
class Patience:
    """How long a service is waited for, in seconds: between the tries in all, at first, and for one answer."""

    seconds: float = 120
    first: float = 2
    timeout: float = 30
    attempts: int = 6
    sleep: Callable[[float], None] = time.sleep
    say: Callable[[str], None] = lambda _: None


def kept_asking(ask: Callable[[], Found], *, patience: Patience, whom: str) -> Found:
    """Return what `ask` returns; after an UnansweredError ask again, for as long as patience lasts."""
    left = patience.seconds
    for attempt in range(1, patience.attempts + 1):
        try:
            return ask()
        except UnansweredError as error:
            if error.final:
                raise
            wait = patience.first * 2 ** (attempt - 1) if error.wait is None else error.wait
            if attempt == patience.attempts or wait > left:
                raise _exhausted(error, whom=whom, attempts=attempt, wait=wait, patience=patience) from None
            patience.say(f"{whom}: {error}; asks again in {wait:.3g} s")
            patience.sleep(wait)
            left -= wait
    raise AssertionError("a loop that returns or raises")


def _exhausted(error: UnansweredError, *, whom: str, attempts: int, wait: float, patience: Patience) -> UnansweredError:
    tries = "one try" if attempts == 1 else f"{attempts} tries"
    asked = f" and wants {wait:.0f} s" if error.wait is not None else ""
    return UnansweredError(
        f"{whom} did not answer: found {error}{asked} after {tries}, expected an answer within "
        f"{patience.seconds:g} s of waiting. Nothing is posted twice: run it again later, or with a longer --patience.",
        accepted=error.accepted,
        final=True,
    )
