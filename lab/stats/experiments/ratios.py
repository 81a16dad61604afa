"""Ratios of sums, such as clicks per view, where the unit that was assigned has both parts."""

from dataclasses import dataclass

from lab.stats.core.arm_means import Summary
from lab.stats.experiments.moments import Moments


@dataclass(frozen=True)
class RatioArm:
    """The ratio of an arm and the variance that one unit contributes to it; `summary` feeds every comparison of means.

    The ratio is None where the denominator adds up to 0, and `reason` says so.
    """

    summary: Summary | None
    reason: str


def ratio_of(moments: Moments, *, numerator: int, denominator: int) -> RatioArm:
    """Return the ratio of two columns' means with its variance by the delta method.

    To divide per row and average, or to take rows of a unit for independent, would be wrong: Deng, Knoblich and Lu
    (2018), Applying the Delta Method in Metric Analytics.
    """
    if moments.count == 0:
        raise ValueError("expected a unit or more, got none: an arm without units has no ratio")
    above, below = float(moments.means[numerator]), float(moments.means[denominator])
    if below == 0:
        return RatioArm(None, "undefined: the denominator adds up to 0")
    ratio = above / below
    parts = [moments.variance(numerator), moments.variance(denominator), moments.covariance(numerator, denominator)]
    if parts[0] is None or parts[1] is None or parts[2] is None:
        return RatioArm(Summary(moments.count, ratio, None), "undefined: one unit in an arm, its variance is unknown")
    variance = (parts[0] - 2 * ratio * parts[2] + ratio * ratio * parts[1]) / (below * below)
    return RatioArm(Summary(moments.count, ratio, max(0.0, variance)), "")
