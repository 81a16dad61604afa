"""Sample size, power and minimum detectable effect for means and ratios."""

import math
from typing import Literal

from scipy import special

from lab.stats.core.arm_means import Reference
from lab.stats.core.probabilities import normal_quantile, student_quantile
from lab.stats.experiments.roots import find_root, widen

Spread = Literal["welch", "pooled"]
MOST_DEGREES = 1e6  # beyond, the normal distribution is accurate enough
FEWEST = 2.0  # units in the smaller arm, to estimate its variance


def mean_power(
    effect: float,
    *,
    treated: float,
    control: float,
    level: float = 0.05,
    spread: Spread = "pooled",
    reference: Reference = "student",
) -> float:
    """Return the power for an effect given in standard deviations, in either direction.

    Student's form uses the noncentral t distribution, with the degrees of freedom of a pooled variance or Welch's.

    >>> round(mean_power(0.2, treated=100, control=100), 6)
    0.290646
    """
    if treated + control <= 2 or (spread == "welch" and min(treated, control) <= 1):
        raise ValueError(f"expected more units, got {treated} and {control}: their variance cannot be estimated")
    shift = abs(effect) / math.sqrt(1 / treated + 1 / control)
    degrees = treated + control - 2
    if spread == "welch":
        degrees = _welch(treated, control)
    if reference == "normal" or degrees > MOST_DEGREES:
        critical = normal_quantile(1 - level / 2)
        far = float(special.ndtr(-shift - critical))
        return float(special.ndtr(shift - critical)) + far
    critical = student_quantile(1 - level / 2, degrees)
    far = float(special.nctdtr(degrees, shift, -critical))
    return 1 - float(special.nctdtr(degrees, shift, critical)) + far


def mean_units(
    effect: float,
    *,
    level: float = 0.05,
    power: float = 0.8,
    control_per_treatment: float = 1.0,
    spread: Spread = "pooled",
    reference: Reference = "student",
) -> float:
    """Return the treated units needed to detect an effect given in standard deviations, not rounded.

    >>> round(mean_units(0.2), 4), round(mean_units(0.2, reference="normal"), 4)
    (393.4057, 392.443)
    """
    if effect == 0 or not math.isfinite(effect):
        raise ValueError(f"expected a finite effect other than 0, got {effect}: no sample detects a difference of 0")
    if not (0 < level < power < 1 and 0 < control_per_treatment < math.inf):
        raise ValueError(
            f"expected 0 < level < power < 1 and a ratio above 0, got {level}, {power}, {control_per_treatment}"
        )

    def lack(count: float) -> float:
        return (
            mean_power(
                effect,
                treated=count,
                control=count * control_per_treatment,
                level=level,
                spread=spread,
                reference=reference,
            )
            - power
        )

    fewest = FEWEST * max(1.0, 1 / control_per_treatment)
    return find_root(lack, fewest, widen(lack, fewest, 4 * fewest)) if lack(fewest) < 0 else fewest


def smallest_mean_effect(
    *,
    treated: float,
    control: float,
    level: float = 0.05,
    power: float = 0.8,
    spread: Spread = "pooled",
    reference: Reference = "student",
) -> float:
    """Return the minimum detectable effect, in standard deviations.

    >>> round(smallest_mean_effect(treated=500, control=500), 6)
    0.177358
    """
    if min(treated, control) < 1 or treated + control <= 2:
        raise ValueError(f"expected more than two units, got {treated} and {control}")

    def lack(effect: float) -> float:
        found = mean_power(effect, treated=treated, control=control, level=level, spread=spread, reference=reference)
        return found - power

    return find_root(lack, 0.0, widen(lack, 0.0, 0.1))


def _welch(treated: float, control: float) -> float:
    parts = 1 / treated, 1 / control
    return (parts[0] + parts[1]) ** 2 / (parts[0] ** 2 / (treated - 1) + parts[1] ** 2 / (control - 1))
