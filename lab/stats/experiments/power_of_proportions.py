"""Sample size, power and minimum detectable effect for two proportions."""

import math
from typing import Literal

from scipy import special

from lab.stats.core.probabilities import normal_quantile
from lab.stats.experiments.effect_sizes import cohen_h
from lab.stats.experiments.roots import find_root, widen

Formula = Literal["pooled_null", "unpooled", "pooled", "arcsine"]


def proportion_units(
    control: float,
    treatment: float,
    *,
    level: float = 0.05,
    power: float = 0.8,
    control_per_treatment: float = 1.0,
    formula: Formula = "pooled_null",
) -> float:
    """Return the treated units needed, not rounded; the control arm needs control_per_treatment times as many.

    The four formulas in use differ by a few units in a thousand: `pooled_null` of the pooled z-test (Fleiss, Levin and
    Paik, 2003), `unpooled` and `pooled` by the variance used, and Cohen's `arcsine`, which also counts the far tail.

    >>> [round(proportion_units(0.1, 0.12, formula=name), 1) for name in ("arcsine", "unpooled", "pooled_null")]
    [3834.6, 3838.1, 3840.8]
    """
    _check(control, treatment, level, power, control_per_treatment)
    if control == treatment:
        raise ValueError(f"expected two different shares, got {control} twice: no sample detects a difference of 0")
    distance, under_null, under_effect = _spreads(control, treatment, control_per_treatment, formula)
    needed = normal_quantile(1 - level / 2) * under_null + normal_quantile(power) * under_effect
    units = (needed / distance) ** 2
    if formula != "arcsine":
        return units

    def lack(count: float) -> float:
        return _power(distance, under_null, under_effect, count, level) - power

    return find_root(lack, units / 2, widen(lack, units / 2, units)) if lack(units / 2) < 0 else units


def proportion_power(
    control: float,
    treatment: float,
    treated: float,
    *,
    level: float = 0.05,
    control_per_treatment: float = 1.0,
    formula: Formula = "pooled_null",
) -> float:
    """Return the power for this difference with `treated` units, in either direction.

    >>> round(proportion_power(0.1, 0.12, 3841), 6)
    0.800017
    """
    _check(control, treatment, level, 0.5, control_per_treatment)
    distance, under_null, under_effect = _spreads(control, treatment, control_per_treatment, formula)
    if under_effect == 0:
        return 1.0 if distance > 0 else 0.0
    return _power(distance, under_null, under_effect, treated, level)


def smallest_proportion(
    control: float,
    treated: float,
    *,
    level: float = 0.05,
    power: float = 0.8,
    control_per_treatment: float = 1.0,
    formula: Formula = "pooled_null",
    upwards: bool = True,
) -> float | None:
    """Return the treated share closest to the control share that is detected with this power, or None.

    >>> round(smallest_proportion(0.1, 3841) or 0, 5)
    0.12
    """
    _check(control, control, level, power, control_per_treatment)

    def lack(share: float) -> float:
        found = proportion_power(
            control,
            share,
            treated,
            level=level,
            control_per_treatment=control_per_treatment,
            formula=formula,
        )
        return found - power

    furthest = 1.0 if upwards else 0.0
    if lack(furthest) <= 0:
        return furthest if lack(furthest) > -1e-9 else None
    return find_root(lack, control, furthest)


def _spreads(control: float, treatment: float, ratio: float, formula: Formula) -> tuple[float, float, float]:
    """Return the distance, and its standard deviation per treated unit without and with an effect."""
    if formula == "arcsine":
        spread = math.sqrt(1 + 1 / ratio)
        return abs(cohen_h(control, treatment)), spread, spread
    both = (treatment + control * ratio) / (1 + ratio)
    pooled = math.sqrt(both * (1 - both) * (1 + 1 / ratio))
    own = math.sqrt(treatment * (1 - treatment) + control * (1 - control) / ratio)
    by_formula = {"pooled_null": (pooled, own), "unpooled": (own, own), "pooled": (pooled, pooled)}
    return abs(treatment - control), *by_formula[formula]


def _power(distance: float, under_null: float, under_effect: float, units: float, level: float) -> float:
    critical, shift = normal_quantile(1 - level / 2) * under_null, distance * math.sqrt(units)
    near = float(special.ndtr((shift - critical) / under_effect))
    return near + float(special.ndtr((-shift - critical) / under_effect))


def _check(control: float, treatment: float, level: float, power: float, ratio: float) -> None:
    if not (0 <= control <= 1 and 0 <= treatment <= 1):
        raise ValueError(f"expected shares between 0 and 1, got {control} and {treatment}")
    if not (0 < level < 1 and level < power < 1 and 0 < ratio < math.inf):
        raise ValueError(f"expected 0 < level < power < 1 and a ratio above 0, got {level}, {power} and {ratio}")
