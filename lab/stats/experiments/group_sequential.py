"""Group sequential tests: bounds, power, and unbiased estimates after an early stop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from lab.stats.core.probabilities import normal_p_value, normal_quantile
from lab.stats.experiments.crossing import (
    FURTHEST,
    Density,
    check_information,
    crossing_probabilities,
    densities,
    initial_density,
    probability_above,
    propagate,
)
from lab.stats.experiments.roots import find_root, widen
from lab.stats.experiments.spending import Spending, obrien_fleming_spending


@dataclass(frozen=True)
class Bounds:
    """The bound for |z| at each look, its nominal p-value, and the cumulative level spent.

    A look that spends nothing has the bound None: the experiment cannot stop there.
    """

    information: tuple[float, ...]
    z: tuple[float | None, ...]
    p_values: tuple[float, ...]
    spent: tuple[float, ...]

    @property
    def crossable(self) -> tuple[float, ...]:
        """Return the bounds as numbers; None becomes a value that no statistic reaches."""
        return tuple(FURTHEST if bound is None else bound for bound in self.z)


@dataclass(frozen=True)
class AfterStop:
    """P-value, estimate and interval after an early stop, adjusted for the stopping rule.

    The naive estimate is biased away from 0; `estimate` is median unbiased. All are in units of the drift (the mean of
    z at full information): multiply by the standard error at full information to get effects.
    """

    p_value: float
    estimate: float
    low: float
    high: float
    naive: float


def spending_bounds(
    information: Sequence[float], *, level: float = 0.05, spending: Spending = obrien_fleming_spending
) -> Bounds:
    """Return two-sided symmetric bounds by alpha spending, half the level on each side.

    Lan and DeMets (1983), Biometrika 70. The looks need not be planned; the final one is at information 1.

    >>> [round(bound or 0, 4) for bound in spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0]).z]
    [4.8769, 3.357, 2.6803, 2.2898, 2.031]
    """
    shares = check_information(information)
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}")
    density, spent, found = initial_density(), 0.0, []
    for share in shares:
        goal = spending(min(share, 1.0), level / 2)
        bound = _bound(density, goal - spent, share)
        spent = max(goal, spent)
        found.append((bound, 2 * spent))
        edge = FURTHEST if bound is None else bound
        density = propagate(density, -edge, edge, share)
    return Bounds(
        tuple(shares),
        tuple(bound for bound, _ in found),
        tuple(0.0 if bound is None else normal_p_value(bound) for bound, _ in found),
        tuple(total for _, total in found),
    )


def sequential_power(bounds: Bounds, *, drift: float) -> float:
    """Return the power of bounds under a drift, the mean of z at full information (2.8 for a fixed test of power 80 %).

    >>> round(sequential_power(spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0]), drift=2.801585), 4)
    0.7903
    """
    return math.fsum(crossing_probabilities(bounds.crossable, bounds.information, drift=drift))


def inflation(bounds: Bounds, *, level: float = 0.05, power: float = 0.8) -> float:
    """Return the sample size of these bounds over that of a fixed test with the same power.

    >>> round(inflation(spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0])), 4)
    1.0247
    """
    fixed = normal_quantile(1 - level / 2) + normal_quantile(power)

    def lack(drift: float) -> float:
        return sequential_power(bounds, drift=drift) - power

    return (find_root(lack, fixed * 0.9, widen(lack, fixed * 0.9, fixed * 1.5)) / fixed) ** 2


def analyse_stop(bounds: Bounds, *, look: int, z: float, level: float = 0.95) -> AfterStop:
    """Return p-value, estimate and interval of an experiment that stopped at a look (counted from 1) with this z.

    Stagewise ordering: an earlier stop is more extreme. Tsiatis, Rosner and Mehta (1984), Biometrics 40.

    >>> found = analyse_stop(spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0]), look=3, z=2.9)
    >>> round(found.estimate, 3) < round(found.naive, 3)
    True
    """
    if not 1 <= look <= len(bounds.information):
        raise ValueError(f"expected a look from 1 to {len(bounds.information)}, got {look}")
    share, tail = bounds.information[look - 1], (1 - level) / 2
    uppers, shares = bounds.crossable[:look], bounds.information[:look]
    before = densities(uppers, shares)

    def above(drift: float) -> float:
        ends = [*uppers[:-1], z]
        parts = zip(before, ends, shares, strict=True)
        return math.fsum(probability_above(density, end, at, drift=drift) for density, end, at in parts)

    def drift_at(chance: float) -> float:
        middle, width = z / math.sqrt(share), 8 / math.sqrt(share)
        return find_root(lambda drift: above(drift) - chance, middle - 2 * width, middle + width)

    upper = above(0.0)
    return AfterStop(
        p_value=min(1.0, 2 * min(upper, 1 - upper)),
        estimate=drift_at(0.5),
        low=drift_at(tail),
        high=drift_at(1 - tail),
        naive=z / math.sqrt(share),
    )


def refuse_fixed_p_value(*, look: int, looks: int) -> None:
    """Raise unless this is the last look: with 20 looks, fixed-horizon p-values have 25 % false positives."""
    if look < looks:
        raise ValueError(
            f"this is look {look} of {looks}: a fixed-horizon p-value is valid only at the last look. "
            "Use the bound of this look, or a confidence sequence."
        )


def _bound(density: Density, spend: float, share: float) -> float | None:
    """Return the z that is exceeded with probability `spend`; None when that underflows."""
    if spend <= 1e-300:
        return None

    def excess(z: float) -> float:
        return math.log(max(probability_above(density, z, share), 5e-324)) - math.log(spend)

    if density.share == 0:
        return -float(special.ndtri(spend))
    return find_root(excess, -FURTHEST / 4, FURTHEST)
