"""How likely a statistic that is looked at again and again crosses a boundary, and at which look.

The statistic is a Brownian motion seen at shares of its information; between looks its density is carried on by
Gauss–Legendre sums. Armitage, McPherson and Rowe (1969), Journal of the Royal Statistical Society A 132.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lab.stats.quadrature import panels, panels_for

Numbers = NDArray[np.float64]
FURTHEST = 39.0  # standard deviations: a normal tail beyond is not a number any more


@dataclass(frozen=True)
class Density:
    """Where the motion is, at one look, among the paths that have not crossed: values, weights, and their drift."""

    values: Numbers
    weights: Numbers


def crossing_chances(
    bounds: Sequence[float], information: Sequence[float], *, drift: float = 0.0, lower: Sequence[float] | None = None
) -> list[float]:
    """Return, look by look, the chance to cross for the first time there, above z = bound or below z = −bound.

    `drift` is the mean of z at full information, so 0 is no effect; `lower` gives other bounds below, as values of z.

    >>> round(sum(crossing_chances([1.959964] * 20, [look / 20 for look in range(1, 21)])), 4)
    0.2479
    """
    shares = check_information(information)
    floors = [-bound for bound in bounds] if lower is None else list(lower)
    if not len(bounds) == len(floors) == len(shares):
        raise ValueError(f"expected a bound for each of {len(shares)} looks, got {len(bounds)} and {len(floors)}")
    density, chances = start(), []
    for share, step, bound, floor in zip(shares, steps(shares), bounds, floors, strict=True):
        root = math.sqrt(share)
        chances.append(
            exceed(density, bound * root, step, drift=drift) + fall_below(density, floor * root, step, drift=drift)
        )
        density = carry(density, floor * root, bound * root, step, share, drift=drift)
    return chances


def start() -> Density:
    """Return the motion before the first look: at 0."""
    return Density(np.zeros(1), np.ones(1))


def exceed(density: Density, value: float, step: float, *, drift: float = 0.0) -> float:
    """Return the chance that the motion, a step of information later, lies above the value."""
    away = (value - density.values - drift * step) / math.sqrt(step)
    return float(np.sum(density.weights * special.ndtr(-away)))


def fall_below(density: Density, value: float, step: float, *, drift: float = 0.0) -> float:
    """Return the chance that the motion, a step of information later, lies below the value."""
    away = (value - density.values - drift * step) / math.sqrt(step)
    return float(np.sum(density.weights * special.ndtr(away)))


def carry(density: Density, low: float, high: float, step: float, share: float, *, drift: float = 0.0) -> Density:
    """Return the motion a step of information later, of the paths that lie between low and high there."""
    root, middle = math.sqrt(step), drift * share
    reach = FURTHEST * math.sqrt(share)
    low, high = max(low, middle - reach), min(high, middle + reach)
    if low >= high:
        return Density(np.zeros(1), np.zeros(1))
    values, weights = panels(low, high, panels_for(high - low, 2 * root))
    away = (values[:, None] - density.values[None, :] - drift * step) / root
    heights = np.einsum("ij,j->i", np.exp(-(away**2) / 2), density.weights) / (root * math.sqrt(2 * math.pi))
    return Density(values, weights * heights)


def check_information(information: Sequence[float]) -> list[float]:
    """Return the shares of information, which must rise from above 0 to 1 at most."""
    shares = [float(share) for share in information]
    if not shares or shares[0] <= 0 or shares[-1] > 1 + 1e-9 or any(one >= two for one, two in pairwise(shares)):
        raise ValueError(f"expected shares of information that rise from above 0 to 1 at most, got {shares}")
    return shares


def steps(shares: Sequence[float]) -> list[float]:
    """Return by how much the information grows at each look."""
    return [share - before for before, share in pairwise([0.0, *shares])]
