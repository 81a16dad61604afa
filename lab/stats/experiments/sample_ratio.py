"""Sample ratio mismatch test: compare the arm sizes with the planned weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lab.stats.core.probabilities import chi_square_log10_p, chi_square_p_value

SMALLEST_WEIGHT = 1e-9
ALARM_BELOW = 0.001  # one false alarm in a thousand experiments


@dataclass(frozen=True)
class SampleRatio:
    """Pearson's test of the counts against the planned weights; `invalid` when it fails, `reason` says why.

    `degrees` is the number of arms with a weight above 0, minus one. The p-value is None without units, and 0 (its
    logarithm None) when an arm of weight 0 has units.
    """

    counts: tuple[int, ...]
    expected: tuple[float, ...]
    statistic: float
    degrees: int
    p_value: float | None
    log10_p: float | None
    invalid: bool
    reason: str


def check_sample_ratio(counts: Sequence[int], weights: Sequence[float]) -> SampleRatio:
    """Return the test for a sample ratio mismatch.

    An arm with weight but no unit always fails, and so does a unit in an arm of weight 0. Fabijan and others (2019),
    Diagnosing Sample Ratio Mismatch in Online Controlled Experiments.

    >>> check_sample_ratio([50123, 49877], [0.5, 0.5]).invalid
    False
    """
    _check(counts, weights)
    units, share = sum(counts), [weight / math.fsum(weights) for weight in weights]
    expected = tuple(part * units for part in share)
    used = [arm for arm, weight in enumerate(weights) if weight > 0]
    degrees = len(used) - 1
    if units == 0:
        return SampleRatio(tuple(counts), expected, 0.0, degrees, None, None, invalid=True, reason="no unit in any arm")
    misplaced = [arm for arm, weight in enumerate(weights) if weight == 0 and counts[arm]]
    if misplaced:
        reason = f"units in arm {misplaced[0]}, which has weight 0"
        return SampleRatio(tuple(counts), expected, 0.0, degrees, 0.0, None, invalid=True, reason=reason)
    statistic = float(sum((counts[arm] - expected[arm]) ** 2 / expected[arm] for arm in used))
    p_value, log10_p = chi_square_p_value(statistic, degrees), chi_square_log10_p(statistic, degrees)
    empty = [arm for arm in used if counts[arm] == 0]
    reason = f"arm {empty[0]} has no unit" if empty else _reason(p_value)
    return SampleRatio(tuple(counts), expected, statistic, degrees, p_value, log10_p, bool(reason), reason)


def _reason(p_value: float) -> str:
    return f"sample ratio mismatch: p {p_value:.1e} is below {ALARM_BELOW}" if p_value < ALARM_BELOW else ""


def _check(counts: Sequence[int], weights: Sequence[float]) -> None:
    if len(counts) != len(weights) or len(counts) < 2:
        raise ValueError(f"expected a weight for each of two arms or more, got {len(counts)} and {len(weights)}")
    if min(counts) < 0 or any(count != int(count) for count in counts):
        raise ValueError(f"expected counts of units, got {list(counts)}")
    total = sum(weights)
    if not 0 < total < math.inf or min(weights) < 0 or sum(weight > 0 for weight in weights) < 2:
        raise ValueError(f"expected weights of at least 0, two of them above 0, got {list(weights)}")
    if any(0 < weight < SMALLEST_WEIGHT * total for weight in weights):
        raise ValueError(f"expected weights of 0, or above 1e-9 of their sum, got {list(weights)}")
