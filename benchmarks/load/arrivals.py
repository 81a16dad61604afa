"""Draw the times at which requests are due: a Poisson process."""

from random import Random


def poisson_arrivals(*, rate: float, seconds: float, seed: int) -> list[float]:
    """Return the moments, in seconds from the start, at which requests are due; the same ones for the same seed.

    >>> moments = poisson_arrivals(rate=4, seconds=1000, seed=7)
    >>> 3800 < len(moments) < 4200, moments == sorted(moments), moments[-1] < 1000
    (True, True, True)
    """
    rng = Random(seed)  # noqa: S311 - no secret
    moments: list[float] = []
    moment = rng.expovariate(rate)
    while moment < seconds:
        moments.append(moment)
        moment += rng.expovariate(rate)
    return moments
