"""Stream detectors: false alarm rates, and detection delays against theory."""

import numpy as np
import pytest

from lab.stats.shift.streams import adwin, page_hinkley, page_hinkley_rule

RATE = 0.2
SPREAD = float(np.sqrt(RATE * (1 - RATE)))
RULE = page_hinkley_rule(slack=0.1, rows_per_false_alarm=10_000, rate=RATE)


def errors(rng: np.random.Generator, rows: int, *, rate: float = RATE) -> np.ndarray:
    return (rng.random(rows) < rate).astype(float)


def first_alarm(stream: np.ndarray) -> int | None:
    alarm = page_hinkley(stream, mean=RATE, deviation=SPREAD, known_from=1e9, rule=RULE)
    return alarm.seen_after if alarm else None


@pytest.mark.parametrize(("slack", "limit", "published"), [(0.5, 4.0, 336), (0.5, 5.0, 930), (0.25, 8.0, 722)])
def test_the_limit_gives_the_published_run_lengths(slack: float, limit: float, published: float) -> None:
    # One-sided: twice the two-sided 168 and 465 of Montgomery's table 9.4; 722 is Siegmund's own formula by hand.
    assert page_hinkley_rule(slack=slack, rows_per_false_alarm=published).limit == pytest.approx(limit, abs=0.06)


def test_false_alarms_are_as_rare_as_promised() -> None:
    rng = np.random.default_rng(1)
    seen = sum(first_alarm(errors(rng, 2000)) is not None for _ in range(200))
    assert seen / 200 == pytest.approx(1 - np.exp(-2000 / 10_000), abs=0.08)


def test_a_rise_is_found_after_the_rows_that_theory_gives() -> None:
    rng = np.random.default_rng(2)
    waits = [first_alarm(errors(rng, 5000, rate=0.35)) or 5000 for _ in range(100)]
    drift = (0.35 - RATE) / SPREAD - RULE.slack
    assert np.mean(waits) == pytest.approx(RULE.limit / drift, rel=0.2)


def test_the_alarm_says_since_when() -> None:
    rng = np.random.default_rng(3)
    stream = np.concatenate([errors(rng, 1500), errors(rng, 2000, rate=0.5)])
    alarm = page_hinkley(stream, mean=RATE, deviation=SPREAD, known_from=2000, rule=RULE)
    assert alarm is not None
    assert 1400 < alarm.began_after <= 1520
    assert 1500 < alarm.seen_after < 1700
    assert alarm.since == pytest.approx(0.5, abs=0.2)


def test_a_mean_that_was_known_from_few_rows_learns_and_stays_quiet() -> None:
    rng = np.random.default_rng(4)
    stream = errors(rng, 3000, rate=0.26)
    assert page_hinkley(stream, mean=RATE, deviation=SPREAD, known_from=1e9, rule=RULE) is not None
    assert page_hinkley(stream, mean=RATE, deviation=SPREAD, known_from=50, rule=RULE) is None


def test_a_fall_is_no_alarm() -> None:
    assert first_alarm(np.zeros(5000)) is None


def test_the_window_seldom_sounds_a_false_alarm() -> None:
    rng = np.random.default_rng(5)
    assert sum(bool(adwin(errors(rng, 2000), confidence=0.002)) for _ in range(100)) <= 3


@pytest.mark.parametrize("rates", [(0.2, 0.35), (0.35, 0.2)])
def test_the_window_finds_a_rise_and_a_fall_and_forgets_what_was_before(rates: tuple[float, float]) -> None:
    rng = np.random.default_rng(6)
    stream = np.concatenate([errors(rng, 3000, rate=rate) for rate in rates])
    first = adwin(stream, confidence=0.002)[0]
    assert 3000 < first.seen_after < 3400
    assert first.before == pytest.approx(rates[0], abs=0.04)
    assert (first.since > first.before) == (rates[1] > rates[0])


def test_the_window_keeps_every_number_until_it_forgets() -> None:
    rng = np.random.default_rng(7)
    stream = np.concatenate([np.zeros(1000), np.ones(1000)])
    first = adwin(stream, confidence=0.002)[0]
    assert first.before == 0
    assert 0 < first.since <= 1
    assert adwin(rng.random(10), confidence=0.002) == []


@pytest.mark.parametrize("stream", [[0.0] * 16 + [1.0] * 16, [0.0, 1.0] * 16, [0.0] * 24 + [1.0] * 8, [0.0] * 32])
def test_the_window_agrees_with_a_search_of_every_cut(stream: list[float]) -> None:
    values, rows, confidence = np.array(stream), len(stream), 0.05
    term = np.log(2 * np.log(rows) / confidence)
    differs = [
        abs(values[:cut].mean() - values[cut:].mean())
        > np.sqrt(2 * inverse * values.var() * term) + 2 / 3 * inverse * term
        for cut in range(5, rows - 4)
        for inverse in [1 / cut + 1 / (rows - cut)]
    ]
    assert any(differs) == bool(adwin(values, confidence=confidence))


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.05, 0.2, 0.35])
def test_rare_errors_make_no_more_false_alarms_than_common_ones(rate: float) -> None:
    rng, deviation = np.random.default_rng(9), float(np.sqrt(rate * (1 - rate)))
    rule = page_hinkley_rule(slack=0.25, rows_per_false_alarm=2000, rate=rate)
    lengths = []
    for _ in range(150):
        alarm = page_hinkley(errors(rng, 20_000, rate=rate), mean=rate, deviation=deviation, known_from=1e9, rule=rule)
        lengths.append(alarm.seen_after if alarm else 20_000)
    assert 1400 < np.mean(lengths) < 2800


def test_numbers_that_are_no_errors_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected numbers between 0 and 1, got 0\.0 to 7\.0"):
        adwin([0.0, 7.0], confidence=0.002)


def test_nothing_gives_no_alarm() -> None:
    assert adwin([], confidence=0.002) == []
    assert page_hinkley([], mean=0.2, deviation=0.4, known_from=10, rule=RULE) is None
