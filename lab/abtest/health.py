"""Whether an experiment is fit to be read at all: asked first, and where it is not, nothing else is trusted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lab.abtest.moments import Tally
from lab.abtest.units import examine
from lab.experiment.design import Design
from lab.experiment.log import Batch
from lab.stats.experiments.covariates import adjust_for_covariate
from lab.stats.experiments.moments import Moments
from lab.stats.experiments.sample_ratio import SampleRatio, check_sample_ratio


@dataclass(frozen=True)
class Check:
    """One question about an experiment's health; `found` says what was seen, whether it passed or not."""

    check: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Health:
    """The units of the arms held against their weights, and every check; the experiment is invalid if one failed."""

    ratio: SampleRatio
    checks: tuple[Check, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Return what makes the experiment unfit to be read."""
        return tuple(each.found for each in self.checks if not each.passed)


def check_health(
    tally: Tally, arms: tuple[Moments, ...], design: Design, read: Callable[[], Iterable[Batch]]
) -> Health:
    """Return the health of an experiment; `read` gives the log again, where some units came twice."""
    ratio = check_sample_ratio([arm.count for arm in arms], [design.weights[arm] for arm in design.arms])
    return Health(
        ratio,
        (_of_ratio(ratio, design), _of_units(tally, read), *_of_covariates(tally, arms, design)),
    )


def _of_ratio(ratio: SampleRatio, design: Design) -> Check:
    counts = ", ".join(f"{arm} {count:,}" for arm, count in zip(design.arms, ratio.counts, strict=True))
    said = f"units {counts}" + (f" (p {ratio.p_value:.2g})" if ratio.p_value is not None else "")
    return Check("sample ratio", not ratio.invalid, f"{ratio.reason}; {said}" if ratio.invalid else said)


def _of_units(tally: Tally, read: Callable[[], Iterable[Batch]]) -> Check:
    name = "one row per unit"
    if not tally.repeated:
        return Check(name, passed=True, found=f"{tally.rows:,} units, each in one row")
    seen = examine(read)
    if not seen.in_several_arms + seen.contradicting + seen.alike:
        return Check(name, passed=True, found=f"{tally.rows:,} units, each in one row")
    parts = [
        (seen.in_several_arms, "in two arms or more"),
        (seen.contradicting, "in rows that contradict one another"),
        (seen.alike, "in rows all alike"),
    ]
    said = ", ".join(f"{count:,} units {where}" for count, where in parts if count)
    return Check(name, passed=False, found=f"{tally.repeated:,} rows name a unit again: {said}")


def _of_covariates(tally: Tally, arms: tuple[Moments, ...], design: Design) -> Iterable[Check]:
    for name in sorted({outcome.covariate for outcome in design.outcomes.values() if outcome.covariate}):
        if name in tally.missing or min(arm.count for arm in arms) < 2:
            continue
        place = tally.column(name)
        found = adjust_for_covariate(arms, outcome=place, covariate=place)
        least = min((test.p_value for test in found.imbalance if test.p_value is not None), default=None)
        said = f"{name} before the experiment" + (f": p {least:.2g}" if least is not None else ": no spread")
        yield Check(f"balance of {name}", found.balanced, said if found.balanced else f"the arms differed in {said}")
