"""How likely a statistic that is looked at again and again crosses a boundary, and at which look.

The statistic is a Brownian motion seen at shares of its information; between looks its density is carried on by
Gauss–Legendre sums. Armitage, McPherson and Rowe (1969), Journal of the Royal Statistical Society A 132. What holds
under an effect follows from what holds without one by the likelihood ratio, so the sums are made once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lab.stats.experiments.quadrature import panels, panels_for

Numbers = NDArray[np.float64]
FURTHEST = 39.0  # standard deviations: a normal tail beyond is not a number any more


@dataclass(frozen=True)
class Density:
    """Where the motion is, without an effect, among the paths that have not crossed: values and weights.

    `share` is the information at that moment.
    """

    share: float
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
    before = densities(bounds, floors, shares)
    return [
        exceed(density, bound, share, drift=drift) + fall_below(density, floor, share, drift=drift)
        for density, bound, floor, share in zip(before, bounds, floors, shares, strict=True)
    ]


def densities(bounds: Sequence[float], floors: Sequence[float], shares: Sequence[float]) -> list[Density]:
    """Return where the motion was before each look, of the paths that had not crossed by then."""
    found = [start()]
    for bound, floor, share in list(zip(bounds, floors, shares, strict=True))[:-1]:
        found.append(carry(found[-1], floor, bound, share))
    return found


def start() -> Density:
    """Return the motion before the first look: at 0."""
    return Density(0.0, np.zeros(1), np.ones(1))


def exceed(density: Density, z: float, share: float, *, drift: float = 0.0) -> float:
    """Return the chance that the statistic lies above z when the share of the information is in."""
    return float(np.sum(_tilted(density, drift) * special.ndtr(-_away(density, z, share, drift))))


def fall_below(density: Density, z: float, share: float, *, drift: float = 0.0) -> float:
    """Return the chance that the statistic lies below z when the share of the information is in."""
    return float(np.sum(_tilted(density, drift) * special.ndtr(_away(density, z, share, drift))))


def carry(density: Density, low: float, high: float, share: float) -> Density:
    """Return where the motion is when the share of the information is in, of the paths with z between low and high."""
    root, width = math.sqrt(share), math.sqrt(share - density.share)
    low, high = max(low, -FURTHEST) * root, min(high, FURTHEST) * root
    if low >= high:
        return Density(share, np.zeros(1), np.zeros(1))
    values, weights = panels(low, high, panels_for(high - low, 2 * width))
    away = (values[:, None] - density.values[None, :]) / width
    heights = np.einsum("ij,j->i", np.exp(-(away**2) / 2), density.weights) / (width * math.sqrt(2 * math.pi))
    return Density(share, values, weights * heights)


def check_information(information: Sequence[float]) -> list[float]:
    """Return the shares of information, which must rise from above 0 to 1 at most."""
    shares = [float(share) for share in information]
    if not shares or shares[0] <= 0 or shares[-1] > 1 + 1e-9 or any(one >= two for one, two in pairwise(shares)):
        raise ValueError(f"expected shares of information that rise from above 0 to 1 at most, got {shares}")
    return shares


def _tilted(density: Density, drift: float) -> Numbers:
    """Return the weights under an effect, which the likelihood ratio of the motion gives."""
    if drift == 0 or density.share == 0:
        return density.weights
    with np.errstate(divide="ignore"):
        logs = np.log(density.weights) + drift * density.values - drift**2 * density.share / 2
    weights: Numbers = np.exp(logs)
    return weights


def _away(density: Density, z: float, share: float, drift: float) -> Numbers:
    step = share - density.share
    away: Numbers = (z * math.sqrt(share) - density.values - drift * step) / math.sqrt(step)
    return away
