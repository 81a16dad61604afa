"""Assign units to arms by a salted hash: the same arm in every process, on every machine, without a list to keep."""

import hashlib
import math
from collections.abc import Callable, Sequence

HASH_BITS = 64
FNV_OFFSET, FNV_PRIME = 0x811C9DC5, 0x01000193  # Fowler, Noll and Vo's 32-bit hash, form 1a


def place_of(identifier: str, *, salt: str) -> float:
    """Return where a unit lies between 0 and 1 (exclusive): the first 64 bits of the SHA-256 of salt and identifier.

    Python's own `hash` would differ from process to process.

    >>> place_of("u1", salt="abtest:v1")
    0.741532710609459
    """
    digest = hashlib.sha256(f"{salt}:{identifier}".encode()).digest()
    place: float = int.from_bytes(digest[: HASH_BITS // 8], "big") / 2**HASH_BITS
    return min(place, 1 - 2**-53)  # the last few thousand hashes would round up to 1


def assign(identifier: str, *, salt: str, weights: Sequence[float], stratum: str = "") -> int:
    """Return the arm of a unit, counted from 0; arms receive units in proportion to their weights.

    A stratum is made part of the salt, so that each stratum is divided by itself: for strata that are few and large.

    >>> [assign(unit, salt="offer", weights=[1, 1]) for unit in ("a", "b", "c", "d")]
    [1, 1, 0, 1]
    """
    full_salt = f"{salt}:{stratum}" if stratum else salt
    return arm_at(place_of(identifier, salt=full_salt), weights)


def arm_at(place: float, weights: Sequence[float]) -> int:
    """Return the arm whose stretch of the line from 0 to 1 holds the place; an arm of weight 0 has none.

    >>> [arm_at(place, [0.5, 0.3, 0.2]) for place in (0.0, 0.5, 0.79, 0.9999)]
    [0, 1, 1, 2]
    """
    shares = _shares(weights)
    reached = 0.0
    for arm, share in enumerate(shares):
        reached += share
        if place < reached:
            return arm
    return max(arm for arm, share in enumerate(shares) if share)  # where rounding left the shares short of 1


def compatible_place(identifier: str, *, seed: str, version: int = 2) -> float:
    """Return the bucket that GrowthBook's kits give a unit, to replay experiments they assigned.

    32 bits cut to 10,000 buckets (version 2) or 1,000 (version 1): too coarse for anything new.

    >>> compatible_place("user_1", seed="exp-1"), compatible_place("a", seed="seed", version=1)
    (0.6059, 0.913)
    """
    hashing: dict[int, Callable[[], float]] = {
        1: lambda: _fowler_noll_vo(identifier + seed) % 1000 / 1000,
        2: lambda: _fowler_noll_vo(str(_fowler_noll_vo(seed + identifier))) % 10000 / 10000,
    }
    if version not in hashing:
        raise ValueError(f"expected version 1 or 2, got {version}")
    return hashing[version]()


def _shares(weights: Sequence[float]) -> list[float]:
    if not weights or min(weights) < 0 or not 0 < sum(weights) < math.inf:
        raise ValueError(f"expected weights of 0 or more, one above 0, got {list(weights)}")
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def _fowler_noll_vo(text: str) -> int:
    value = FNV_OFFSET
    for character in text:  # the kits take characters, not bytes
        value = ((value ^ ord(character)) * FNV_PRIME) & 0xFFFFFFFF
    return value
