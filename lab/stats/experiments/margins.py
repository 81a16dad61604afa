"""Show that a treatment is not worse than a margin allows, or that two arms are the same within one.

Lack of significance shows neither.
"""

from dataclasses import dataclass

from lab.stats.core.arm_means import Spread, Summary, compare_arm_means
from lab.stats.core.comparison import tail
from lab.stats.core.proportions import Trials
from lab.stats.experiments.score_tests import score_test
from lab.stats.experiments.two_proportions import compare_by_normal_limit


@dataclass(frozen=True)
class MarginTest:
    """A difference held against a margin, treatment less control.

    `proven` says that the p-value is below the level; otherwise nothing is proven, neither harm nor its absence. The
    p-value is None, with a reason, where the spread is not known.
    """

    difference: float
    statistic: float | None
    p_value: float | None
    proven: bool
    reason: str


@dataclass(frozen=True)
class EquivalenceTest:
    """Two one-sided tests: the p-value is the larger, and `proven` says that both are below the level."""

    difference: float
    p_value: float | None
    p_of_low: float | None
    p_of_high: float | None
    proven: bool
    reason: str


def proportion_not_worse(
    *, control: Trials, treatment: Trials, margin: float, higher_is_better: bool = True, level: float = 0.05
) -> MarginTest:
    """Return whether the treated share is worse than the control's by less than the margin, which is above 0.

    Farrington and Manning's score test (1990), Statistics in Medicine 9; one-sided.

    >>> round(proportion_not_worse(control=(5000, 50000), treatment=(4950, 50000), margin=0.005).p_value or 0, 5)
    0.01732
    """
    _check(margin)
    null = -margin if higher_is_better else margin
    z, p_value = score_test(
        control=control, treatment=treatment, null=null, side="greater" if higher_is_better else "less"
    )
    difference = treatment[0] / treatment[1] - control[0] / control[1]
    return MarginTest(difference, z, p_value, p_value < level, "")


def mean_not_worse(
    control: Summary, treatment: Summary, *, margin: float, higher_is_better: bool = True, level: float = 0.05
) -> MarginTest:
    """Return whether the treated mean is worse than the control's by less than the margin, by Welch's test.

    >>> mean_not_worse(Summary(500, 10.0, 4.0), Summary(500, 9.95, 4.0), margin=0.3).proven
    True
    """
    _check(margin)
    null = -margin if higher_is_better else margin
    test = compare_arm_means(control, treatment, null=null, side="greater" if higher_is_better else "less")
    proven = test.p_value is not None and not test.reason and test.p_value < level
    p_value = None if test.reason else test.p_value
    return MarginTest(test.difference, test.statistic, p_value, proven, test.reason)


def means_equivalent(
    control: Summary,
    treatment: Summary,
    *,
    low: float,
    high: float,
    spread: Spread = "welch",
    level: float = 0.05,
) -> EquivalenceTest:
    """Return whether the difference of two means lies between low and high.

    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15.

    >>> means_equivalent(Summary(500, 10.0, 4.0), Summary(500, 9.95, 4.0), low=-0.4, high=0.4).proven
    True
    """
    above = compare_arm_means(control, treatment, null=low, side="greater", spread=spread)
    below = compare_arm_means(control, treatment, null=high, side="less", spread=spread)
    return _equivalence(
        above.difference, None if above.reason else above.p_value, below.p_value, (low, high), level, above.reason
    )


def proportions_equivalent(
    *, control: Trials, treatment: Trials, low: float, high: float, level: float = 0.05
) -> EquivalenceTest:
    """Return whether the difference of two shares lies between low and high, by two score tests.

    >>> proportions_equivalent(control=(5000, 50000), treatment=(4980, 50000), low=-0.005, high=0.005).proven
    True
    """
    _, of_low = score_test(control=control, treatment=treatment, null=low, side="greater")
    _, of_high = score_test(control=control, treatment=treatment, null=high, side="less")
    difference = treatment[0] / treatment[1] - control[0] / control[1]
    return _equivalence(difference, of_low, of_high, (low, high), level, "")


def wald_not_worse(*, control: Trials, treatment: Trials, margin: float) -> MarginTest:
    """Return the same question by Wald's test, as others ask it; the score test keeps its level in smaller samples."""
    _check(margin)
    test = compare_by_normal_limit(control=control, treatment=treatment)
    if test.standard_error is None:
        return MarginTest(test.difference, None, None, proven=False, reason=test.reason)
    z = (test.difference + margin) / test.standard_error
    p_value = tail(z, side="greater")
    return MarginTest(test.difference, z, p_value, p_value < 0.05, "")


def _equivalence(
    difference: float,
    of_low: float | None,
    of_high: float | None,
    limits: tuple[float, float],
    level: float,
    reason: str,
) -> EquivalenceTest:
    if not limits[0] < limits[1]:
        raise ValueError(f"expected low below high, got {limits}")
    if of_low is None or of_high is None:
        return EquivalenceTest(difference, None, None, None, proven=False, reason=reason)
    p_value = max(of_low, of_high)
    return EquivalenceTest(difference, p_value, of_low, of_high, p_value < level, reason)


def _check(margin: float) -> None:
    if not margin > 0:
        raise ValueError(f"expected a margin above 0, got {margin}: how much worse would still be good enough?")
