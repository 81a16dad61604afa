"""Sample size and duration of an experiment, including the cost of its stopping rule."""

import math
from dataclasses import dataclass

from lab.stats.experiments.power_of_means import mean_units
from lab.stats.experiments.power_of_proportions import Formula, proportion_units


@dataclass(frozen=True)
class Plan:
    """Units per arm, inflated for the stopping rule and rounded up; `days` is None without units per day."""

    formula: str
    control: int
    treatment: int
    total: int
    inflation: float
    days: int | None


@dataclass(frozen=True)
class Design:
    """The settings of a plan.

    `weights` are the shares of units for control and treatment, and may add up to less than 1; `inflation` is the
    factor of `group_sequential.inflation`, 1 for a single look.
    """

    level: float = 0.05
    power: float = 0.8
    weights: tuple[float, float] = (0.5, 0.5)
    inflation: float = 1.0
    units_per_day: float | None = None


def plan_proportions(
    control: float, treatment: float, *, design: Design = Design(), formula: Formula = "pooled_null"
) -> Plan:
    """Return the plan to detect the difference of two shares.

    >>> plan_proportions(0.1, 0.12, design=Design(units_per_day=1000)).days
    8
    """
    units = proportion_units(
        control,
        treatment,
        level=design.level,
        power=design.power,
        control_per_treatment=_ratio(design),
        formula=formula,
    )
    return _plan(units, design, formula)


def plan_means(difference: float, spread: float, *, design: Design = Design()) -> Plan:
    """Return the plan to detect a difference of two means; `spread` is the standard deviation of the values.

    >>> plan_means(0.2, 1.0).treatment
    394
    """
    if not spread > 0:
        raise ValueError(f"expected a standard deviation above 0, got {spread}")
    units = mean_units(
        difference / spread,
        level=design.level,
        power=design.power,
        control_per_treatment=_ratio(design),
        spread="welch",
    )
    return _plan(units, design, "means, noncentral t")


def plan_ratios(difference: float, unit_variance: float, *, design: Design = Design()) -> Plan:
    """Return the plan to detect a difference of two ratios; `unit_variance` is the variance of `ratios.ratio_of`.

    >>> plan_ratios(0.02, 0.04).treatment
    1570
    """
    if not unit_variance > 0:
        raise ValueError(f"expected a variance above 0, got {unit_variance}")
    units = mean_units(
        difference / math.sqrt(unit_variance),
        level=design.level,
        power=design.power,
        control_per_treatment=_ratio(design),
        reference="normal",
    )
    return _plan(units, design, "ratios, delta method")


def _ratio(design: Design) -> float:
    control, treatment = design.weights
    if min(design.weights) <= 0 or sum(design.weights) > 1 + 1e-9 or design.inflation < 1:
        raise ValueError(
            f"expected weights above 0 that add up to at most 1 and an inflation of at least 1, got {design}"
        )
    return control / treatment


def _plan(treated: float, design: Design, formula: str) -> Plan:
    treatment = math.ceil(treated * design.inflation)
    control = math.ceil(treated * _ratio(design) * design.inflation)
    share, total = sum(design.weights), control + treatment
    days = None if not design.units_per_day else math.ceil(total / share / design.units_per_day)
    return Plan(formula, control, treatment, total, design.inflation, days)
