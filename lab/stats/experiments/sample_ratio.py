"""Sample ratio mismatch test: compare the arm sizes with the planned weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

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


def check_sample_ratio(
    counts: Sequence[int], weights: Sequence[float], *, alarm_below: float = ALARM_BELOW
) -> SampleRatio:
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
    reason = f"arm {empty[0]} has no unit" if empty else _reason(p_value, alarm_below)
    return SampleRatio(tuple(counts), expected, statistic, degrees, p_value, log10_p, bool(reason), reason)


def binomial_p_value(successes: int, trials: int, share: float) -> float:
    """Return the exact two-sided binomial p-value: the probability of all outcomes at most as likely as the observed.

    >>> round(binomial_p_value(1, 5, 0.5), 6)
    0.375
    """
    if not 0 <= successes <= trials or not 0 < share < 1:
        raise ValueError(f"expected 0 to {trials} successes and a share between 0 and 1, got {successes} and {share}")
    if successes == trials * share:
        return 1.0
    low = successes < trials * share
    seen = _log_chance(successes, trials, share) + 1e-7
    mode = math.floor((trials + 1) * share)
    inner, outer = (mode, trials) if low else (mode, 0)
    # Bisect for the first outcome on the other side of the mode that is at most as likely as the observed one.
    if _log_chance(outer, trials, share) > seen:
        return _tail_of(successes, trials, share, low=low)
    while abs(outer - inner) > 1:
        middle = (inner + outer) // 2
        inner, outer = (middle, outer) if _log_chance(middle, trials, share) > seen else (inner, middle)
    first = inner if _log_chance(inner, trials, share) <= seen and inner != successes else outer
    return min(1.0, _tail_of(successes, trials, share, low=low) + _tail_of(first, trials, share, low=not low))


def normal_share_p_value(successes: int, trials: int, share: float, *, corrected: bool = True) -> float:
    """Return the two-sided p-value of the normal approximation, with continuity correction by default.

    >>> round(normal_share_p_value(49877, 100000, 0.5), 6)
    0.438483
    """
    distance = abs(successes - trials * share) - (0.5 if corrected else 0.0)
    return float(2 * special.ndtr(-max(0.0, distance) / math.sqrt(trials * share * (1 - share))))


def _reason(p_value: float, alarm_below: float) -> str:
    return f"sample ratio mismatch: p {p_value:.1e} is below {alarm_below}" if p_value < alarm_below else ""


def _tail_of(successes: int, trials: int, share: float, *, low: bool) -> float:
    if low:
        return 1.0 if successes >= trials else float(special.betaincc(successes + 1, trials - successes, share))
    return 1.0 if successes <= 0 else float(special.betainc(successes, trials - successes + 1, share))


def _log_chance(successes: int, trials: int, share: float) -> float:
    ways = -math.log1p(trials) - float(special.betaln(trials - successes + 1, successes + 1))
    return ways + successes * math.log(share) + (trials - successes) * math.log1p(-share)


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
