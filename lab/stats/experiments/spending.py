"""Alpha spending functions for group sequential tests."""

import math
from collections.abc import Callable
from functools import partial

from scipy import special

Spending = Callable[[float, float], float]


def obrien_fleming_spending(share: float, level: float) -> float:
    """Return the one-sided level spent so far: almost none early, almost all at the end.

    Lan and DeMets (1983), Biometrika 70. Computed from the upper tail, because early looks spend 1e-23 and less.

    >>> round(obrien_fleming_spending(0.2, 0.025), 11)
    5.3887e-07
    """
    return float(2 * special.ndtr(float(special.ndtri(level / 2)) / math.sqrt(share))) if share > 0 else 0.0


def pocock_spending(share: float, level: float) -> float:
    """Return the one-sided level spent so far, almost evenly. Lan and DeMets (1983).

    >>> round(pocock_spending(0.5, 0.025), 6)
    0.015503
    """
    return level * math.log1p((math.e - 1) * share)


def power_spending(share: float, level: float, *, exponent: float) -> float:
    """Return the level times a power of the share: Kim and DeMets (1987), Biometrika 74.

    >>> round(power_spending(0.5, 0.025, exponent=3), 6)
    0.003125
    """
    return float(level * share**exponent)


def exponential_spending(share: float, level: float, *, gamma: float) -> float:
    """Return Hwang, Shih and De Cani's spending (1990, Statistics in Medicine 9); −4 is near O'Brien–Fleming, 1 Pocock.

    >>> round(exponential_spending(0.5, 0.025, gamma=-4), 6)
    0.00298
    """
    return level * share if gamma == 0 else level * math.expm1(-gamma * share) / math.expm1(-gamma)


def spending_named(name: str) -> Spending:
    """Return a spending function by name: obrien_fleming, pocock, power3 (any exponent), exponential-4 (any gamma).

    >>> spending_named("power2")(0.5, 0.04)
    0.01
    """
    plain: dict[str, Spending] = {"obrien_fleming": obrien_fleming_spending, "pocock": pocock_spending}
    if name in plain:
        return plain[name]
    try:
        if name.startswith("power"):
            return partial(power_spending, exponent=float(name.removeprefix("power")))
        if name.startswith("exponential"):
            return partial(exponential_spending, gamma=float(name.removeprefix("exponential")))
    except ValueError:
        pass
    raise ValueError(f"expected obrien_fleming, pocock, power<exponent> or exponential<gamma>, got {name}")
