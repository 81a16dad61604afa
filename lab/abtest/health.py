"""Health checks of an experiment: sample ratio, repeated units, covariate balance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.abtest.moments import LogMoments
from lab.abtest.units import Repeats
from lab.experiment.design import EACH_ROW, Design
from lab.experiment.log import covariates_of
from lab.stats.core.arm_means import Summary, compare_arm_means
from lab.stats.experiments.covariates import adjust_for_covariates
from lab.stats.experiments.moments import Moments
from lab.stats.experiments.sample_ratio import SampleRatio, check_sample_ratio

IMBALANCED_BELOW = 0.001


@dataclass(frozen=True)
class Check:
    """One health check; `found` describes the result."""

    check: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Health:
    """All health checks; the experiment is invalid if one fails."""

    ratio: SampleRatio
    checks: tuple[Check, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        return tuple(each.found for each in self.checks if not each.passed)


def check_health(log: LogMoments, arms: tuple[Moments, ...], design: Design, repeats: Repeats | None) -> Health:
    """Return the health of an experiment, with the units that had several rows if any."""
    ratio = check_sample_ratio([arm.count for arm in arms], [design.weights[arm] for arm in design.arms])
    return Health(
        ratio, (_of_ratio(ratio, design), _of_units(log, design, repeats), *_of_covariates(log, arms, design))
    )


def _of_ratio(ratio: SampleRatio, design: Design) -> Check:
    counts = ", ".join(f"{arm} {count:,}" for arm, count in zip(design.arms, ratio.counts, strict=True))
    found = f"units {counts}" + (f" (p {ratio.p_value:.2g})" if ratio.p_value is not None else "")
    return Check("sample ratio", not ratio.invalid, f"{ratio.reason}; {found}" if ratio.invalid else found)


def _of_units(log: LogMoments, design: Design, repeats: Repeats | None) -> Check:
    name = "one row per unit"
    if design.unit == EACH_ROW:
        return Check(name, passed=True, found=f"{log.rows:,} rows, each a unit: repeated units cannot be seen")
    if repeats is None:
        return Check(name, passed=True, found=f"{log.rows:,} units, one row each")
    if design.repeated_units == "invalid":
        cure = "Cure: --repeated-units keep_first or leave_out, or repeated_units in the design"
        return Check(name, passed=False, found=f"{log.repeated:,} rows repeat a unit: {repeats.found}. {cure}")
    keep_first = design.repeated_units == "keep_first"
    dropped, rule = len(repeats.dropped(keep_first=keep_first)), "first row kept" if keep_first else "units left out"
    return Check(name, passed=True, found=f"{repeats.found}: {rule}, {dropped:,} rows left out")


def _of_covariates(log: LogMoments, arms: tuple[Moments, ...], design: Design) -> Iterable[Check]:
    """Yield the balance of each covariate over the units that have it, and of the units that lack it."""
    if min(arm.count for arm in arms) < 2:
        return
    for name in sorted(covariates_of(design)):
        place, *indicator = log.regressors([name])
        known = adjust_for_covariates(arms, outcome=place, covariates=indicator).arms
        yield _of_balance(name, f"{name} before the experiment", known)
        for missing in indicator:
            units = [arm.summary(missing) for arm in arms]
            yield _of_balance(f"missing {name}", f"the share of units without {name}", units)


def _of_balance(name: str, what: str, arms: Sequence[Summary]) -> Check:
    tests = [compare_arm_means(arms[0], arm) for arm in arms[1:]]
    least = min((test.p_value for test in tests if test.p_value is not None), default=None)
    balanced = least is None or least >= IMBALANCED_BELOW
    result = what + (f": p {least:.2g}" if least is not None else ": no variance")
    return Check(f"balance of {name}", balanced, result if balanced else f"the arms differed in {result}")
