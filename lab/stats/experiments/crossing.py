"""Boundary crossing probabilities of a sequential test, look by look.

The statistic is a Brownian motion observed at shares of its information; its density is propagated between looks by
Gauss–Legendre quadrature. Armitage, McPherson and Rowe (1969), Journal of the Royal Statistical Society A 132.
Probabilities under an effect follow from those without one by the likelihood ratio.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lab.stats.experiments.quadrature import panels, panels_for

Numbers = NDArray[np.float64]
FURTHEST = 39.0  # standard deviations; the normal tail beyond underflows


@dataclass(frozen=True)
class Density:
    """The density of the paths that have not crossed, without an effect: values and weights.

    `share` is the share of information.
    """

    share: float
    values: Numbers
    weights: Numbers


def crossing_probabilities(bounds: Sequence[float], information: Sequence[float], *, drift: float = 0.0) -> list[float]:
    """Return the probability of the first crossing at each look, above z = bound or below z = −bound.

    `drift` is the mean of z at full information, 0 without an effect.

    >>> round(sum(crossing_probabilities([1.959964] * 20, [look / 20 for look in range(1, 21)])), 4)
    0.2479
    """
    shares = check_information(information)
    if len(bounds) != len(shares):
        raise ValueError(f"expected a bound for each of {len(shares)} looks, got {len(bounds)}")
    return [
        probability_above(density, bound, share, drift=drift) + probability_below(density, -bound, share, drift=drift)
        for density, bound, share in zip(densities(bounds, shares), bounds, shares, strict=True)
    ]


def densities(bounds: Sequence[float], shares: Sequence[float]) -> list[Density]:
    """Return the density before each look of the paths that have not crossed."""
    return list(_densities(tuple(bounds), tuple(shares)))


@lru_cache(maxsize=4)
def _densities(bounds: tuple[float, ...], shares: tuple[float, ...]) -> tuple[Density, ...]:
    """Return the densities, which depend on no drift: a search over drifts needs them once."""
    found = [initial_density()]
    for bound, share in list(zip(bounds, shares, strict=True))[:-1]:
        found.append(propagate(found[-1], -bound, bound, share))
    return tuple(found)


def initial_density() -> Density:
    """Return the density before the first look: all paths at 0."""
    return Density(0.0, np.zeros(1), np.ones(1))


def probability_above(density: Density, z: float, share: float, *, drift: float = 0.0) -> float:
    """Return the probability that the statistic is above z at this share of the information."""
    return float(np.sum(_tilted(density, drift) * special.ndtr(-_distance(density, z, share, drift))))


def probability_below(density: Density, z: float, share: float, *, drift: float = 0.0) -> float:
    """Return the probability that the statistic is below z at this share of the information."""
    return float(np.sum(_tilted(density, drift) * special.ndtr(_distance(density, z, share, drift))))


def propagate(density: Density, low: float, high: float, share: float) -> Density:
    """Return the density at this share of the information of the paths with z between low and high."""
    root, width = math.sqrt(share), math.sqrt(share - density.share)
    low, high = max(low, -FURTHEST) * root, min(high, FURTHEST) * root
    if low >= high:
        return Density(share, np.zeros(1), np.zeros(1))
    values, weights = panels(low, high, panels_for(high - low, 2 * width))
    away = (values[:, None] - density.values[None, :]) / width
    heights = np.einsum("ij,j->i", np.exp(-(away**2) / 2), density.weights) / (width * math.sqrt(2 * math.pi))
    return Density(share, values, weights * heights)


def check_information(information: Sequence[float]) -> list[float]:
    """Return the shares of information, which must increase and lie in (0, 1]."""
    shares = [float(share) for share in information]
    if not shares or shares[0] <= 0 or shares[-1] > 1 + 1e-9 or any(one >= two for one, two in pairwise(shares)):
        raise ValueError(f"expected increasing shares of information above 0 and at most 1, got {shares}")
    return shares


def _tilted(density: Density, drift: float) -> Numbers:
    """Return the weights under an effect, by the likelihood ratio."""
    if drift == 0 or density.share == 0:
        return density.weights
    with np.errstate(divide="ignore"):
        logs = np.log(density.weights) + drift * density.values - drift**2 * density.share / 2
    weights: Numbers = np.exp(logs)
    return weights


def _distance(density: Density, z: float, share: float, drift: float) -> Numbers:
    step = share - density.share
    distance: Numbers = (z * math.sqrt(share) - density.values - drift * step) / math.sqrt(step)
    return distance
