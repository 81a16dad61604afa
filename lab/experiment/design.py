"""The `experiment` section of a task file: log, outcomes, guardrails and looks."""

from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from lab.core.params import Params

Kind = Literal["share", "mean", "count", "ratio"]
Rule = Literal["group_sequential", "anytime", "fixed"]
RepeatedUnits = Literal["invalid", "keep_first", "leave_out"]
EACH_ROW = "each_row"  # the unit of a log without identifiers


def _iso_date(written: object) -> str:
    try:
        return date.fromisoformat(str(written)).isoformat()
    except ValueError as error:
        raise ValueError(f"{written!r} is no date, expected one such as 2025-11-02") from error


IsoDate = Annotated[str, BeforeValidator(_iso_date)]  # JSON has no dates


class Outcome(Params):
    """An outcome of a unit: a share of 0 and 1, a mean, a count, or a ratio of the sums of this column and `per`.

    A covariate is a column from before the experiment that reduces the variance (CUPED), or a list of such columns; a
    missing value is imputed. `margin` makes the outcome a guardrail: it may get worse by less than this, in its own
    unit. `measured_in` names that unit, such as EUR.
    """

    kind: Kind = "mean"
    per: str | None = None
    higher_is_better: bool = True
    covariate: str | Annotated[tuple[str, ...], Field(strict=False)] | None = None
    margin: float | None = Field(default=None, gt=0)
    measured_in: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def only_a_ratio_has_a_denominator(self) -> Self:
        if (self.kind == "ratio") != (self.per is not None):
            raise ValueError("per names the denominator of a ratio: give it to kind ratio only")
        return self

    @property
    def covariates(self) -> tuple[str, ...]:
        """Return the columns of the covariates, each once."""
        named = (self.covariate,) if isinstance(self.covariate, str) else self.covariate or ()
        return tuple(dict.fromkeys(named))


class Looks(Params):
    """When the experiment is analysed, and by which rule it may stop.

    A look at one of `dates` has the rows before that day; without dates, `count` looks are spread evenly over the
    planned `units`. Without either, the log is analysed once, at its end.
    """

    rule: Rule = "group_sequential"
    spending: str = "obrien_fleming"
    dates: tuple[IsoDate, ...] = Field(default=(), strict=False)
    count: int = Field(default=1, ge=1, le=100)
    units: int | None = Field(default=None, ge=2)

    @model_validator(mode="after")
    def looks_are_distinct(self) -> Self:
        if any(first >= second for first, second in pairwise(self.dates)):
            raise ValueError(f"dates must rise, got {list(self.dates)}")
        if self.dates and self.count != 1:
            raise ValueError("give dates or count, not both: there is one look for each date")
        if self.count > 1 and self.units is None:
            raise ValueError(f"{self.count} looks need units: the planned number, from `python -m ops plan`")
        return self


class Design(Params):
    """Columns of a log and their analysis; the log has one row per unit, which has one arm.

    The unit `each_row` means that a log without identifiers has a unit in each row. A unit with several rows makes the
    experiment invalid, unless `repeated_units` keeps the first row of each, or leaves out those whose rows differ.
    """

    unit: str = "unit"
    repeated_units: RepeatedUnits = "invalid"
    arm: str = "arm"
    time: str | None = None
    control: str
    weights: dict[str, float]
    primary: str
    outcomes: dict[str, Outcome]
    stratum: str | None = None
    segments: tuple[str, ...] = Field(default=(), strict=False)
    looks: Looks = Looks()
    level: float = Field(default=0.05, gt=0, lt=0.5)

    @model_validator(mode="after")
    def names_agree(self) -> Self:
        if self.control not in self.weights or len(self.weights) < 2:
            raise ValueError(f"control is {self.control!r}, expected one of two arms or more, got {list(self.weights)}")
        if min(self.weights.values()) < 0 or sum(weight > 0 for weight in self.weights.values()) < 2:
            raise ValueError(f"weights must be 0 or more, two of them above 0, got {self.weights}")
        if self.primary not in self.outcomes or self.outcomes[self.primary].margin is not None:
            raise ValueError(f"primary is {self.primary!r}, expected an outcome without margin: {list(self.outcomes)}")
        if self.arm in {self.unit, self.stratum, *self.segments}:
            raise ValueError(f"arm is {self.arm!r}, expected another column than unit, stratum and segments")
        if self.looks.dates and self.time is None:
            raise ValueError("looks.dates need time: the column with the moment when a unit's outcome was known")
        return self

    @property
    def treatments(self) -> list[str]:
        """Return all arms but the control, sorted."""
        return sorted(set(self.weights) - {self.control})

    @property
    def arms(self) -> list[str]:
        """Return all arms, the control first."""
        return [self.control, *self.treatments]

    @property
    def ordered_outcomes(self) -> list[str]:
        """Return the names of the outcomes: the primary one, then the others, sorted."""
        return [self.primary, *sorted(set(self.outcomes) - {self.primary})]

    @property
    def columns(self) -> list[str]:
        """Return every column that the log must have."""
        measured = [name for key, outcome in self.outcomes.items() for name in (key, outcome.per, *outcome.covariates)]
        named = [self.unit, self.arm, self.time, self.stratum, *self.segments, *measured]
        return list(dict.fromkeys(name for name in named if name not in {None, EACH_ROW}))


class Simulation(Params):
    """A simulated experiment: the model of each arm decides which customers of the newest window get an offer.

    `arms` maps each arm to its model; the same model in both makes an A/A test. `cost_of_offer` is in cents.
    """

    salt: str = Field(min_length=1)
    arms: dict[str, Literal["champion", "challenger"]]
    cost_of_offer: int = Field(ge=0, le=10**12)


class Experiment(Params):
    """An experiment with a log below data/source/TASK, a simulated one, or none."""

    log: str | None = None
    simulation: Simulation | None = None
    design: Design | None = None

    @model_validator(mode="after")
    def a_log_is_described(self) -> Self:
        if self.log is not None and self.simulation is not None:
            raise ValueError("give log or simulation, not both")
        if (self.log or self.simulation) and self.design is None:
            raise ValueError("a log needs design: its unit, arms, outcomes and looks")
        if self.simulation and self.design and set(self.simulation.arms) != set(self.design.weights):
            raise ValueError(f"simulation.arms are {list(self.simulation.arms)}, weights {list(self.design.weights)}")
        return self


class ExperimentSection(Params):
    """The `experiment` section of a task file."""

    experiment: Experiment
