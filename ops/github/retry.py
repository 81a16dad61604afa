"""Retry a request with growing waits, within limits of attempts and time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ops.github.errors import UnansweredError

Found = TypeVar("Found")


@dataclass(frozen=True)
class RetryPolicy:
    """The limits of retries, in seconds: all waits together, the first wait, and the timeout of one request."""

    seconds: float = 120
    first: float = 2
    timeout: float = 30
    attempts: int = 6
    sleep: Callable[[float], None] = time.sleep
    log: Callable[[str], None] = lambda _: None


def retry(call: Callable[[], Found], *, policy: RetryPolicy, service: str) -> Found:
    """Return the result of `call`; after an UnansweredError, wait and call again."""
    left = policy.seconds
    for attempt in range(1, policy.attempts + 1):
        try:
            return call()
        except UnansweredError as error:
            if error.final:
                raise
            wait = policy.first * 2 ** (attempt - 1) if error.wait is None else error.wait
            if attempt == policy.attempts or wait > left:
                requested = f" and requests a wait of {wait:.0f} s" if error.wait is not None else ""
                raise UnansweredError(
                    f"{service} did not respond: found {error}{requested} after {attempt} "
                    f"{'attempt' if attempt == 1 else 'attempts'}, expected a response within {policy.seconds:g} s of "
                    "waiting. Nothing is posted twice: run it again later, or with a larger --retry-seconds.",
                    accepted=error.accepted,
                    final=True,
                ) from None
            policy.log(f"{service}: {error}; retries in {wait:.3g} s")
            policy.sleep(wait)
            left -= wait
    raise AssertionError("the loop returns or raises")
