"""Detect a change of the mean in a stream: Page–Hinkley and ADWIN."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

OVERSHOOT = 2 * 0.5826  # the mean overshoot of a random walk, at both boundaries (Siegmund)
BUCKETS_PER_SIZE = 5
SMALLEST_PART = 5
LARGEST_EXPONENT = 700

Bucket = tuple[float, float, float]  # count, sum, sum of squares


@dataclass(frozen=True)
class Alarm:
    """A detected change: the number of values until detection, and until the estimated start of the change."""

    seen_after: int
    began_after: int
    before: float
    since: float


@dataclass(frozen=True)
class PageHinkleyRule:
    """The parameters of the test, in standard deviations of one value: alarm when the sum exceeds the limit."""

    slack: float
    limit: float


def page_hinkley_rule(*, slack: float, rows_per_false_alarm: float, rate: float | None = None) -> PageHinkleyRule:
    """Return the rule with this average number of rows between false alarms, tuned to a rise of twice the slack.

    Siegmund's approximation of the average run length of a CUSUM (1985, Sequential Analysis, section 2.5), solved for
    the limit by bisection. For normal values, or with `rate` for errors (0 and 1): rare errors are skewed, and the
    normal limit would give several times as many false alarms.

    >>> round(page_hinkley_rule(slack=0.5, rows_per_false_alarm=336).limit, 1)
    4.0
    """
    tilt = 2 * slack if rate is None else _tilt_of(rate, slack)

    def length_of(limit: float) -> float:
        reach = tilt * (limit + OVERSHOOT)
        return math.inf if reach > LARGEST_EXPONENT else (math.exp(reach) - 1 - reach) / (tilt * slack)

    return PageHinkleyRule(slack, _rising_root(lambda limit: length_of(limit) - rows_per_false_alarm, 0.0, 1e6))


def _tilt_of(rate: float, slack: float) -> float:
    """Return the positive root t of E exp(t·(x − slack)) = 1 for a standardised error x."""
    deviation = math.sqrt(rate * (1 - rate))
    low, high = -rate / deviation - slack, (1 - rate) / deviation - slack

    def excess(tilt: float) -> float:
        return (1 - rate) * math.exp(tilt * low) + rate * math.exp(tilt * high) - 1

    end = slack
    while excess(end) < 0:
        end *= 2
    return _rising_root(excess, end / 1e4, end)


def _rising_root(function: Callable[[float], float], low: float, high: float) -> float:
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return high


def page_hinkley(
    stream: Iterable[float], *, mean: float, deviation: float, known_from: float, rule: PageHinkleyRule
) -> Alarm | None:
    """Return the first alarm of the Page–Hinkley test for a rise of the mean, or None.

    The mean comes from `known_from` earlier values and is updated by the stream: a fixed estimate would cause false
    alarms. Page (1954), Biometrika 41; Hinkley (1971), Biometrika 58.
    """
    climbed, start, raised, count = 0.0, 0, 0.0, known_from
    for place, value in enumerate(stream, start=1):
        mean, count = (mean * count + value) / (count + 1), count + 1
        climbed, raised = climbed + (value - mean) / deviation - rule.slack, raised + value
        if climbed <= 0:
            climbed, start, raised = 0.0, place, 0.0
        if climbed > rule.limit:
            return Alarm(place, start, mean, raised / (place - start))
    return None


def adwin(stream: ArrayLike, *, confidence: float, every: int = 32) -> list[Alarm]:
    """Return the changes of the mean found by the adaptive window of Bifet and Gavaldà (2007, SIAM SDM).

    Values must be between 0 and 1. The older part of the window is dropped when the means of both parts differ, at
    confidence δ (smaller gives fewer alarms); this is checked after `every` values. Rises and falls both count.
    """
    values = np.asarray(stream, dtype=np.float64)
    if values.size and not np.all((values >= 0) & (values <= 1)):
        raise ValueError(f"expected numbers between 0 and 1, got {float(values.min())} to {float(values.max())}")
    buckets: list[Bucket] = []  # the oldest first
    alarms: list[Alarm] = []
    for place, value in enumerate(values.tolist(), start=1):
        _add(buckets, value)
        if place % every == 0:
            while (cut := _cut_of(buckets, confidence)) is not None:
                if not alarms or alarms[-1].seen_after != place:
                    alarms.append(_alarm_at(place, buckets, cut))
                del buckets[:cut]
    return alarms


def _alarm_at(place: int, buckets: list[Bucket], cut: int) -> Alarm:
    (old, old_sum, _), (kept, kept_sum, _) = _added(buckets[:cut]), _added(buckets[cut:])
    return Alarm(place, place - int(kept), old_sum / old, kept_sum / kept)


def _added(buckets: list[Bucket]) -> Bucket:
    sizes, sums, squares = zip(*buckets, strict=True)
    return float(sum(sizes)), sum(sums), sum(squares)


def _add(buckets: list[Bucket], value: float) -> None:
    """Append a value; when six buckets have the same size, merge the two oldest of them."""
    buckets.append((1.0, value, value * value))
    end, size = len(buckets), 1.0
    while end > BUCKETS_PER_SIZE and buckets[end - BUCKETS_PER_SIZE - 1][0] == size:
        first = end - BUCKETS_PER_SIZE - 1
        buckets[first : first + 2] = [_added(buckets[first : first + 2])]
        end, size = first + 1, size * 2


def _cut_of(buckets: list[Bucket], confidence: float) -> int | None:
    """Return the index of the first bucket to keep, or None when no split differs."""
    rows, total, squares = _added(buckets)
    variance = max(squares / rows - (total / rows) ** 2, 0.0)
    log_term = math.log(2 * math.log(rows) / confidence)
    old, old_sum = 0.0, 0.0
    for cut, (size, part, _) in enumerate(buckets, start=1):
        old, old_sum = old + size, old_sum + part
        if old < SMALLEST_PART or rows - old < SMALLEST_PART:
            continue
        inverse = 1 / old + 1 / (rows - old)
        allowed = math.sqrt(2 * inverse * variance * log_term) + 2 / 3 * inverse * log_term
        if abs(old_sum / old - (total - old_sum) / (rows - old)) > allowed:
            return cut
    return None
