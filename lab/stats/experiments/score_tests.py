"""Test two shares against a difference, or a ratio, other than none; and the intervals that these tests turn into."""

import math
from collections.abc import Callable

from lab.stats.core.comparison import Side, tail
from lab.stats.core.probabilities import normal_quantile
from lab.stats.core.proportions import Trials
from lab.stats.experiments.roots import find_root
from lab.stats.experiments.two_proportions import share_of

Beyond = Callable[[float, int], float]
CLOSEST = 1e-12  # to a difference of −1 or 1, where the variance under the null vanishes


def score_test(
    *, control: Trials, treatment: Trials, null: float = 0.0, side: Side = "two-sided", corrected: bool = False
) -> tuple[float, float]:
    """Return z and the p-value of the score test that treatment less control is `null`; arms as (successes, trials).

    The variance is that of the likeliest shares with this difference: Farrington and Manning (1990), Statistics in
    Medicine 9; `corrected` multiplies it by n/(n − 1) after Miettinen and Nurminen (1985), same journal, 4.

    >>> z, p_value = score_test(control=(5000, 50000), treatment=(4950, 50000), null=-0.005, side="greater")
    >>> round(z, 6), round(p_value, 6)
    (2.11254, 0.01732)
    """
    z = score_of_difference(control, treatment, null=null, corrected=corrected)
    return z, tail(z, side=side)


def score_of_difference(control: Trials, treatment: Trials, *, null: float, corrected: bool = False) -> float:
    """Return how many standard errors, under the null, the difference lies above it; 0 where it cannot vary."""
    first, second = share_of(control, "control"), share_of(treatment, "treatment")
    base = _likeliest_control_share(control, treatment, null)
    variance = _variance(base, base + null, control[1], treatment[1], corrected=corrected)
    distance = second - first - null
    return distance / math.sqrt(variance) if variance > 0 else 0.0


def score_of_ratio(control: Trials, treatment: Trials, *, null: float, corrected: bool = False) -> float:
    """Return how many standard errors, under the null, the treated share lies above `null` times the control's."""
    first, second = share_of(control, "control"), share_of(treatment, "treatment")
    total, hits = control[1] + treatment[1], control[0] + treatment[0]
    a = total * null
    b = treatment[1] * null + treatment[0] + control[1] + control[0] * null
    base = (b - math.sqrt(max(b * b - 4 * a * hits, 0.0))) / (2 * a)
    scaled = base * null
    variance = scaled * (1 - scaled) / treatment[1] + null * null * base * (1 - base) / control[1]
    variance *= total / (total - 1) if corrected else 1.0
    return (second - null * first) / math.sqrt(variance) if variance > 0 else 0.0


def score_interval(
    control: Trials, treatment: Trials, *, level: float = 0.95, corrected: bool = True
) -> tuple[float, float]:
    """Return Miettinen and Nurminen's interval of the difference: all differences that the score test lets stand.

    >>> [round(end, 6) for end in score_interval((487, 5000), (550, 5000))]
    [0.00065, 0.024573]
    """
    z = normal_quantile((1 + level) / 2)
    seen = share_of(treatment, "treatment") - share_of(control, "control")

    def beyond(end: float, sign: int) -> float:
        if end in (-1.0, 1.0):  # no sample but the most extreme one can come from there
            return -sign * math.inf if end != seen else 0.0
        return score_of_difference(control, treatment, null=end, corrected=corrected) - sign * z

    return _end(beyond, -1.0 + CLOSEST, seen, 1), _end(beyond, 1.0 - CLOSEST, seen, -1)


def score_interval_of_ratio(
    control: Trials, treatment: Trials, *, level: float = 0.95, corrected: bool = True
) -> tuple[float, float | None]:
    """Return the score interval of treatment over control: Koopman (1984), Biometrics 40.

    Without a success in the control arm it has no upper end; without any, it says nothing: 0 to None.

    >>> [round(end or 0, 6) for end in score_interval_of_ratio((487, 5000), (550, 5000))]
    [1.006274, 1.267575]
    """
    z = normal_quantile((1 + level) / 2)
    share_of(control, "control"), share_of(treatment, "treatment")
    if control[0] + treatment[0] == 0:
        return 0.0, None

    def beyond(log_ratio: float, sign: int) -> float:
        return score_of_ratio(control, treatment, null=math.exp(log_ratio), corrected=corrected) - sign * z

    low = math.exp(_outwards(beyond, control, treatment, 1)) if treatment[0] else 0.0
    high = math.exp(_outwards(beyond, control, treatment, -1)) if control[0] else None
    return low, high


def _outwards(beyond: Beyond, control: Trials, treatment: Trials, sign: int) -> float:
    hits = max(control[0], 0.5) / control[1], max(treatment[0], 0.5) / treatment[1]
    middle, reach = math.log(hits[1] / hits[0]), 0.5
    while sign * beyond(middle - sign * reach, sign) < 0 and reach < 64:
        reach *= 2
    start = middle if sign * beyond(middle, sign) <= 0 else middle + sign * reach
    return find_root(lambda end: beyond(end, sign), middle - sign * reach, start)


def _end(beyond: Beyond, furthest: float, seen: float, sign: int) -> float:
    if sign * beyond(furthest, sign) <= 0:
        return float(round(furthest))
    return find_root(lambda end: beyond(end, sign), furthest, min(max(seen, -1 + CLOSEST), 1 - CLOSEST))


def _likeliest_control_share(control: Trials, treatment: Trials, difference: float) -> float:
    """Return the share of the control arm that makes the counts likeliest, given the difference of the shares."""
    (hits, rows), (other_hits, other_rows) = control, treatment
    total, all_hits = rows + other_rows, hits + other_hits
    if difference == 0:
        return all_hits / total
    square = ((other_rows + 2 * rows) * difference - total - all_hits) / (3 * total)
    linear = ((rows * difference - total - 2 * hits) * difference + all_hits) / (3 * total)
    constant = hits * difference * (1 - difference) / (2 * total)
    q = square**3 - 1.5 * linear * square + constant
    p = math.copysign(math.sqrt(max(square**2 - linear, 0.0)), q)
    if p == 0:
        return min(max(-square, 0.0, -difference), 1.0, 1.0 - difference)
    angle = (math.pi + math.acos(min(1.0, max(-1.0, q / p**3)))) / 3
    share = min(max(2 * p * math.cos(angle) - square, 0.0, -difference), 1.0, 1.0 - difference)
    return _polish(share, control, treatment, difference)


def _polish(share: float, control: Trials, treatment: Trials, difference: float) -> float:
    """Return the share after Newton's steps on the likelihood.

    Where events are rare the closed form costs half the digits.
    """
    for _ in range(3):
        cells = [(control[0], share), (control[1] - control[0], share - 1)]
        cells += [(treatment[0], share + difference), (treatment[1] - treatment[0], share + difference - 1)]
        if any(count and chance == 0 for count, chance in cells):
            return share
        slope = sum(count / chance for count, chance in cells if count)
        bend = sum(count / chance**2 for count, chance in cells if count)
        better = share + slope / bend
        if not max(0.0, -difference) < better < min(1.0, 1.0 - difference):
            return share
        share = better
    return share


def _variance(share: float, other: float, rows: int, other_rows: int, *, corrected: bool) -> float:
    variance = share * (1 - share) / rows + other * (1 - other) / other_rows
    total = rows + other_rows
    return variance * total / (total - 1) if corrected else variance
