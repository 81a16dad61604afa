"""Find a root of a function of one variable."""

from collections.abc import Callable

MOST_STEPS = 300


def find_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return a point between low and high where the function changes sign, to floating point precision.

    Illinois method (regula falsi) with bisection when it stalls; raises without a change of sign. Dowell and Jarratt
    (1971), BIT 11.

    >>> round(find_root(lambda x: x * x - 2, 0.0, 2.0), 12)
    1.414213562373
    """
    at_low, at_high = function(low), function(high)
    if at_low * at_high > 0:
        raise ValueError(f"expected a change of sign between {low} and {high}, got {at_low} and {at_high}")
    for step in range(MOST_STEPS):
        middle = (low * at_high - high * at_low) / (at_high - at_low) if at_high != at_low else (low + high) / 2
        if step % 4 == 3 or not min(low, high) < middle < max(low, high):
            middle = (low + high) / 2
        at_middle = function(middle)
        if at_middle == 0 or abs(high - low) <= 4e-16 * (abs(low) + abs(high)):
            return middle
        if at_middle * at_high < 0:
            low, at_low = high, at_high
        else:
            at_low /= 2
        high, at_high = middle, at_middle
    return high


def widen(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the first of high, 2·high, 4·high … at which the sign differs from that at low."""
    at_low = function(low)
    for _ in range(MOST_STEPS):
        if at_low * function(high) <= 0:
            return high
        high *= 2
    raise ValueError(f"expected a change of sign above {low}, got none up to {high}")
