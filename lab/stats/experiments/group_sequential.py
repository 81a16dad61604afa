"""Look at an experiment several times and keep its level: bounds, power, and honest estimates after a stop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from lab.stats.core.probabilities import normal_p_value, normal_quantile
from lab.stats.experiments.crossing import (
    FURTHEST,
    Density,
    carry,
    check_information,
    crossing_chances,
    densities,
    exceed,
    start,
)
from lab.stats.experiments.roots import find_root, widen
from lab.stats.experiments.spending import Spending, obrien_fleming_spending


@dataclass(frozen=True)
class Bounds:
    """The bound for |z| at each look, the p-value that stands for it, and the level spent up to then.

    A look that may spend nothing has the bound None: there is no stopping there.
    """

    information: tuple[float, ...]
    z: tuple[float | None, ...]
    p_values: tuple[float, ...]
    spent: tuple[float, ...]

    @property
    def crossable(self) -> tuple[float, ...]:
        """Return the bounds as numbers, where None stands for one that no statistic reaches."""
        return tuple(FURTHEST if bound is None else bound for bound in self.z)


@dataclass(frozen=True)
class SequentialPower:
    """The chance to cross at each look under a drift, their sum, and the mean share of the information used."""

    by_look: tuple[float, ...]
    power: float
    mean_information: float


@dataclass(frozen=True)
class AfterStop:
    """What an experiment that stopped early says, its stopping taken into account.

    The plain estimate after an early stop is too far from 0; `estimate` is unbiased in the median, all in units of the
    drift (the mean of z at full information): times the standard error at full information, they are effects.
    """

    p_value: float
    estimate: float
    low: float
    high: float
    naive: float


def spending_bounds(
    information: Sequence[float], *, level: float = 0.05, spending: Spending = obrien_fleming_spending
) -> Bounds:
    """Return two-sided symmetric bounds that spend half the level on each side as information comes in.

    Lan and DeMets (1983), Biometrika 70. The looks may be anywhere, decided as they come; the final one is at 1.

    >>> [round(bound or 0, 4) for bound in spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0]).z]
    [4.8769, 3.357, 2.6803, 2.2898, 2.031]
    """
    shares = check_information(information)
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}")
    density, spent, found = start(), 0.0, []
    for share in shares:
        goal = spending(min(share, 1.0), level / 2)
        bound = _bound(density, goal - spent, share)
        spent = max(goal, spent)
        found.append((bound, 2 * spent))
        edge = FURTHEST if bound is None else bound
        density = carry(density, -edge, edge, share)
    return Bounds(
        tuple(shares),
        tuple(bound for bound, _ in found),
        tuple(0.0 if bound is None else normal_p_value(bound) for bound, _ in found),
        tuple(total for _, total in found),
    )


def classical_bounds(looks: int, *, level: float = 0.05, shape: float = 0.0) -> Bounds:
    """Return the bounds C·(k/K)^(shape − ½) at equal looks: O'Brien and Fleming's for shape 0, Pocock's for ½.

    Wang and Tsiatis (1987), Biometrics 43; Pocock (1977), O'Brien and Fleming (1979).

    >>> round(classical_bounds(5).z[-1] or 0, 6), round(classical_bounds(5, shape=0.5).z[-1] or 0, 6)
    (2.040073, 2.413176)
    """
    if looks < 1:
        raise ValueError(f"expected one look or more, got {looks}")
    shares = [look / looks for look in range(1, looks + 1)]
    forms = [share ** (shape - 0.5) for share in shares]

    def excess(constant: float) -> float:
        return sum(crossing_chances([constant * form for form in forms], shares)) - level

    least = normal_quantile(1 - level / 2) * 0.99
    constant = find_root(excess, least, widen(excess, least, 3.0))
    bounds = [constant * form for form in forms]
    chances = crossing_chances(bounds, shares)
    spent = [math.fsum(chances[: look + 1]) for look in range(looks)]
    return Bounds(tuple(shares), tuple(bounds), tuple(normal_p_value(bound) for bound in bounds), tuple(spent))


def sequential_power(bounds: Bounds, *, drift: float) -> SequentialPower:
    """Return the power of bounds under a drift, the mean of z at full information; a fixed test has z.975 + z.8 = 2.8.

    >>> round(sequential_power(spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0]), drift=2.801585).power, 4)
    0.7903
    """
    chances = crossing_chances(bounds.crossable, bounds.information, drift=drift)
    power = math.fsum(chances)
    used = math.fsum(chance * share for chance, share in zip(chances, bounds.information, strict=True))
    return SequentialPower(tuple(chances), power, used + (1 - power) * bounds.information[-1])


def inflation(bounds: Bounds, *, level: float = 0.05, power: float = 0.8) -> float:
    """Return by how much the sample of a fixed test grows so that these bounds keep its power.

    >>> round(inflation(spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0])), 4)
    1.0247
    """
    fixed = normal_quantile(1 - level / 2) + normal_quantile(power)

    def lack(drift: float) -> float:
        return sequential_power(bounds, drift=drift).power - power

    return (find_root(lack, fixed * 0.9, widen(lack, fixed * 0.9, fixed * 1.5)) / fixed) ** 2


def analyse_stop(bounds: Bounds, *, look: int, z: float, level: float = 0.95) -> AfterStop:
    """Return p-value, estimate and interval of an experiment that stopped at a look (counted from 1) with this z.

    Outcomes are ordered by stages: an earlier stop is further from 0. Tsiatis, Rosner and Mehta (1984), Biometrics 40.

    >>> found = analyse_stop(spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0]), look=3, z=2.9)
    >>> round(found.estimate, 3) < round(found.naive, 3)
    True
    """
    if not 1 <= look <= len(bounds.information):
        raise ValueError(f"expected a look from 1 to {len(bounds.information)}, got {look}")
    share, tail = bounds.information[look - 1], (1 - level) / 2
    uppers, shares = bounds.crossable[:look], bounds.information[:look]
    before = densities(uppers, [-bound for bound in uppers], shares)

    def above(drift: float) -> float:
        ends = [*uppers[:-1], z]
        parts = zip(before, ends, shares, strict=True)
        return math.fsum(exceed(density, end, at, drift=drift) for density, end, at in parts)

    def drift_at(chance: float) -> float:
        middle, reach = z / math.sqrt(share), 8 / math.sqrt(share)
        return find_root(lambda drift: above(drift) - chance, middle - 2 * reach, middle + reach)

    upper = above(0.0)
    return AfterStop(
        p_value=min(1.0, 2 * min(upper, 1 - upper)),
        estimate=drift_at(0.5),
        low=drift_at(tail),
        high=drift_at(1 - tail),
        naive=z / math.sqrt(share),
    )


def refuse_fixed_p_value(*, look: int, looks: int) -> None:
    """Refuse to read a fixed-horizon p-value before the last look; over 20 looks it is wrong 25 times in 100."""
    if look < looks:
        raise ValueError(
            f"this is look {look} of {looks}: a fixed-horizon p-value holds at the last look only. "
            "Use the bound of this look, or a confidence sequence."
        )


def _bound(density: Density, spend: float, share: float) -> float | None:
    """Return the z that is exceeded with just the chance to spend; None where that is too small to be a number."""
    if spend <= 1e-300:
        return None

    def excess(z: float) -> float:
        return math.log(max(exceed(density, z, share), 5e-324)) - math.log(spend)

    if density.share == 0:
        return -float(special.ndtri(spend))
    return find_root(excess, -FURTHEST / 4, FURTHEST)
