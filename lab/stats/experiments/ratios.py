"""Ratio metrics such as clicks per view, by the delta method."""

from dataclasses import dataclass

from lab.stats.core.arm_means import Summary
from lab.stats.experiments.moments import Moments


@dataclass(frozen=True)
class RatioArm:
    """The ratio of an arm as a summary (count, ratio, variance per unit) for comparisons of means.

    It is None when the denominator sums to 0; `reason` says so.
    """

    summary: Summary | None
    reason: str


def ratio_of(moments: Moments, *, numerator: int, denominator: int) -> RatioArm:
    """Return the ratio of two columns' means with its variance by the delta method.

    Averaging per-row ratios, or treating rows of a unit as independent, is wrong: Deng, Knoblich and Lu (2018),
    Applying the Delta Method in Metric Analytics.
    """
    if moments.count == 0:
        raise ValueError("expected at least one unit, got none: an arm without units has no ratio")
    above, below = float(moments.means[numerator]), float(moments.means[denominator])
    if below == 0:
        return RatioArm(None, "undefined: the denominator sums to 0")
    ratio = above / below
    parts = [moments.variance(numerator), moments.variance(denominator), moments.covariance(numerator, denominator)]
    if parts[0] is None or parts[1] is None or parts[2] is None:
        return RatioArm(Summary(moments.count, ratio, None), "undefined: one unit in an arm, its variance is unknown")
    variance = (parts[0] - 2 * ratio * parts[2] + ratio * ratio * parts[1]) / (below * below)
    return RatioArm(Summary(moments.count, ratio, max(0.0, variance)), "")
