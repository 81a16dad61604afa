"""Which look a log is at, and how sure its intervals must be so that the promise holds over all looks."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.abtest.moments import Tally
from lab.core.errors import SourceError
from lab.experiment.design import Design
from lab.stats.core.probabilities import normal_p_value, normal_quantile
from lab.stats.experiments.confidence_sequences import anytime_bounds
from lab.stats.experiments.group_sequential import Bounds, refuse_fixed_p_value, spending_bounds
from lab.stats.experiments.roots import find_root
from lab.stats.experiments.spending import spending_named
from lab.stats.experiments.verdicts import Progress

LEAST_EXPONENT, MOST_EXPONENT = -100.0, -0.0005
LEAST_P = 1e-15  # a bound further out cannot be told from one that nothing crosses


@dataclass(frozen=True)
class Look:
    """The look that a log is at: its number, how many are planned, and the bounds up to it and over the whole plan.

    `information` is the share of the planned units that is in. `z` is what |z| must exceed now, None where no statistic
    may stop yet; `refused` says why a fixed-horizon p-value is not given.
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
        """Return how far the experiment is, as the decision takes it."""
        return Progress(self.number, self.planned, looks_allowed=self.rule != "fixed")

    @property
    def z(self) -> float | None:
        """Return what |z| must exceed at this look."""
        return self.so_far.z[-1] if self.so_far.p_values[-1] > LEAST_P else None

    @property
    def confidence(self) -> float | None:
        """Return the level of an interval that holds at this look and, with the others, over all."""
        return None if self.z is None or self.refused else 1 - self.so_far.p_values[-1]


def look_at(tally: Tally, design: Design) -> Look:
    """Return the look that a log is at; several treatments share the level evenly (Bonferroni)."""
    level = design.level / len(design.treatments)
    shares, planned = _shares(tally, design)
    whole = [*shares, *_later(shares, planned)]
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
        units=tally.rows,
        information=shares[-1],
        so_far=_bounds(shares, design, level),
        plan=_bounds(whole, design, level),
        level=level,
        refused=refused,
    )


def repeated_p_value(z: float, look: Look) -> float:
    """Return the smallest level at which this look's bound would be crossed: it holds however often was looked.

    Jennison and Turnbull (1989), Journal of the Royal Statistical Society B 51. It needs no
    stop, so it serves outcomes that do not decide when to end. What is below 1e-100 is given as that.
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
        raise SourceError(f"looks cannot be kept: {error}. Cure: correct looks in the design.") from error


def _shares(tally: Tally, design: Design) -> tuple[list[float], int]:
    """Return the share of the planned information at each look so far, and how many looks are planned."""
    looks = design.looks
    if looks.dates:
        return _shares_by_date(tally, design), len(looks.dates)
    if looks.units is None:
        return [1.0], 1
    share = min(1.0, max(tally.rows, 1) / looks.units)
    planned = [look / looks.count for look in range(1, looks.count + 1)]
    before = [look for look in planned if look < share - 0.5 / looks.count]
    return [*before[: looks.count - 1], share], looks.count if share >= 1 else max(looks.count, len(before) + 2)


def _shares_by_date(tally: Tally, design: Design) -> list[float]:
    counts = [sum(arm.count for arm in period) for period in tally.periods[: len(design.looks.dates)]]
    filled = [look for look, count in enumerate(counts, start=1) if count]
    reached = filled[-1] if filled else 1
    units, final = 0, reached == len(counts)
    seen = []
    for count in counts[:reached]:
        units += count
        seen.append(units)
    horizon = design.looks.units or (seen[-1] if final else round(seen[-1] * len(counts) / reached))
    shares = [max(count, 1) / horizon for count in seen[:-1]]
    rising = [share for place, share in enumerate(shares) if share < 1 and (not place or share > shares[place - 1])]
    last = 1.0 if final else min(seen[-1] / horizon, 1 - 1e-9)
    return [*[share for share in rising if share < last], last]


def _later(shares: Sequence[float], planned: int) -> list[float]:
    """Return where the looks that are still to come would lie, spread evenly over what is left."""
    left = planned - len(shares)
    return [shares[-1] + (1 - shares[-1]) * step / left for step in range(1, left + 1)]
