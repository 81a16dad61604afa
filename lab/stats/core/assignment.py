"""Assign units to arms by a salted hash: deterministic and without storage."""

import hashlib
import math
from collections.abc import Sequence

HASH_BITS = 64


def hash_to_unit_interval(identifier: str, *, salt: str) -> float:
    """Return a number in [0, 1) from the first 64 bits of the SHA-256 of salt and identifier.

    Python's `hash` differs between processes.

    >>> hash_to_unit_interval("u1", salt="abtest:v1")
    0.741532710609459
    """
    digest = hashlib.sha256(f"{salt}:{identifier}".encode()).digest()
    number: float = int.from_bytes(digest[: HASH_BITS // 8], "big") / 2**HASH_BITS
    return min(number, 1 - 2**-53)  # the last few thousand hashes would round up to 1


def assign(identifier: str, *, salt: str, weights: Sequence[float], stratum: str = "") -> int:
    """Return the arm of a unit, counted from 0; arms receive units in proportion to their weights.

    The stratum becomes part of the salt, so each stratum is split on its own: use it for few, large strata.

    >>> [assign(unit, salt="offer", weights=[1, 1]) for unit in ("a", "b", "c", "d")]
    [1, 1, 0, 1]
    """
    full_salt = f"{salt}:{stratum}" if stratum else salt
    return arm_at(hash_to_unit_interval(identifier, salt=full_salt), weights)


def arm_at(number: float, weights: Sequence[float]) -> int:
    """Return the arm of a number in [0, 1), which is split into one interval per arm by weight.

    >>> [arm_at(number, [0.5, 0.3, 0.2]) for number in (0.0, 0.5, 0.79, 0.9999)]
    [0, 1, 1, 2]
    """
    shares = _shares(weights)
    end = 0.0
    for arm, share in enumerate(shares):
        end += share
        if number < end:
            return arm
    return max(arm for arm, share in enumerate(shares) if share)  # the shares may add up to slightly less than 1


def _shares(weights: Sequence[float]) -> list[float]:
    if not weights or min(weights) < 0 or not 0 < sum(weights) < math.inf:
        raise ValueError(f"expected weights of at least 0, one of them above 0, got {list(weights)}")
    total = math.fsum(weights)
    return [weight / total for weight in weights]
