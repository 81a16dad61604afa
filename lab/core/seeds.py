"""Derive independent random streams by name from the one seed in params.yaml."""

import hashlib

import numpy as np


def sequence_of(seed: int, name: str) -> np.random.SeedSequence:
    """Return the seed sequence of a named stream, which depends on seed and name alone."""
    digest = hashlib.sha256(name.encode()).digest()
    key = tuple(int.from_bytes(digest[start : start + 4], "little") for start in range(0, 16, 4))
    return np.random.SeedSequence(seed, spawn_key=key)


def generator_of(seed: int, name: str) -> np.random.Generator:
    """Return the numpy generator of a named stream."""
    return np.random.Generator(np.random.PCG64(sequence_of(seed, name)))


def integer_of(seed: int, name: str) -> int:
    """Return a seed below 2**31 for a named stream, for scikit-learn's `random_state`."""
    return int(sequence_of(seed, name).generate_state(1)[0]) >> 1
