"""Interim analyses: the current look, its bounds and its confidence level."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from lab.abtest.moments import LogMoments
from lab.core.errors import SourceError
from lab.experiment.design import Design
from lab.stats.core.probabilities import normal_p_value, normal_quantile
from lab.stats.experiments.confidence_sequences import anytime_bounds
from lab.stats.experiments.group_sequential import Bounds, refuse_fixed_p_value, spending_bounds
from lab.stats.experiments.roots import find_root
from lab.stats.experiments.spending import spending_named
from lab.stats.experiments.verdicts import Progress

LEAST_EXPONENT, MOST_EXPONENT = -100.0, -0.0005
LEAST_P = 1e-15  # bounds beyond are never crossed in practice


@dataclass(frozen=True)
class Look:
    """The current look: its number, the number of planned looks, and the bounds so far and of the whole plan.

    `information` is the share of the planned units observed so far. `refused` says why a fixed-horizon p-value is not
    given.
    """

    number: int
    planned: int
    rule: str
    spending: str
    units: int
    information: float
    so_far: Bounds
    plan: Bounds
    level: float
    refused: str

    @property
    def progress(self) -> Progress:
        return Progress(self.number, self.planned, looks_allowed=self.rule != "fixed")

    @property
    def z(self) -> float | None:
        """Return the bound for |z| at this look; None when stopping is not possible."""
        return self.so_far.z[-1] if self.so_far.p_values[-1] > LEAST_P else None

    @property
    def confidence(self) -> float | None:
        """Return the confidence level of this look's intervals that is valid over all looks."""
        return None if self.z is None or self.refused else 1 - self.so_far.p_values[-1]


def current_look(log: LogMoments, design: Design, *, level: float | None = None) -> Look:
    """Return the current look; without a level, several treatments share that of the design evenly (Bonferroni)."""
    level = design.level / len(design.treatments) if level is None else level
    shares, planned = _shares(log, design)
    plan = [*shares, *_remaining_looks(shares, planned)]
    refused = ""
    try:
        if design.looks.rule == "fixed":
            refuse_fixed_p_value(look=len(shares), looks=planned)
    except ValueError as error:
        refused = str(error)
    return Look(
        number=len(shares),
        planned=planned,
        rule=design.looks.rule,
        spending=design.looks.spending,
        units=log.rows,
        information=shares[-1],
        so_far=_bounds(shares, design, level),
        plan=_bounds(plan, design, level),
        level=level,
        refused=refused,
    )


def repeated_p_value(z: float, look: Look) -> float:
    """Return the smallest level at which this look's bound is crossed, at least 1e-100.

    It is valid at every look without a stopping rule, so also for outcomes that do not stop the experiment. Jennison
    and Turnbull (1989), Journal of the Royal Statistical Society B 51.
    """
    shares, spending = look.so_far.information, spending_named(look.spending)

    def beyond(exponent: float) -> float:
        bound = spending_bounds(shares, level=10**exponent, spending=spending).crossable[-1]
        return bound - abs(z)

    if beyond(MOST_EXPONENT) >= 0:
        return 1.0
    return 10 ** find_root(beyond, LEAST_EXPONENT, MOST_EXPONENT) if beyond(LEAST_EXPONENT) > 0 else 10**LEAST_EXPONENT


def _bounds(shares: Sequence[float], design: Design, level: float) -> Bounds:
    rule = design.looks.rule
    if rule == "anytime":
        return anytime_bounds(shares, level=level)
    if rule == "fixed":
        z = normal_quantile(1 - level / 2)
        never = (None,) * (len(shares) - 1)
        return Bounds(tuple(shares), (*never, z), (*(0.0 for _ in never), normal_p_value(z)), (0.0,) * len(shares))
    try:
        return spending_bounds(shares, level=level, spending=spending_named(design.looks.spending))
    except ValueError as error:
        raise SourceError(f"the planned looks are invalid: {error}. Cure: correct looks in the design.") from error


def _shares(log: LogMoments, design: Design) -> tuple[list[float], int]:
    """Return the share of the planned information at each look so far, and the number of planned looks."""
    looks = design.looks
    if looks.dates:
        return _shares_by_date(log, design), len(looks.dates)
    if looks.units is None:
        return [1.0], 1
    share = min(1.0, max(log.rows, 1) / looks.units)
    planned = [look / looks.count for look in range(1, looks.count + 1)]
    before = [look for look in planned if look < share - 0.5 / looks.count]
    return [*before[: looks.count - 1], share], looks.count if share >= 1 else max(looks.count, len(before) + 2)


def _shares_by_date(log: LogMoments, design: Design) -> list[float]:
    counts = [sum(arm.count for arm in period) for period in log.periods[: len(design.looks.dates)]]
    reached = max((look for look, count in enumerate(counts, start=1) if count), default=1)
    final = reached == len(counts)
    units = list(accumulate(counts[:reached]))
    horizon = design.looks.units or (units[-1] if final else round(units[-1] * len(counts) / reached))
    shares = [max(count, 1) / horizon for count in units[:-1]]
    rising = [share for index, share in enumerate(shares) if share < 1 and (not index or share > shares[index - 1])]
    last = 1.0 if final else min(units[-1] / horizon, 1 - 1e-9)
    return [*[share for share in rising if share < last], last]


def _remaining_looks(shares: Sequence[float], planned: int) -> list[float]:
    """Return the information of the looks still to come, evenly spaced."""
    left = planned - len(shares)
    return [shares[-1] + (1 - shares[-1]) * step / left for step in range(1, left + 1)]
