"""Each gate passes and fails at its threshold and gives the reason."""

from typing import Any

import numpy as np
import pytest

from lab.stats.core.areas import compare_areas
from lab.stats.models.bootstrap import UNDEFINED, Estimate
from lab.stats.models.gaps import PairGap
from lab.validate.gates import (
    NamedGate,
    ceiling,
    floor,
    gate_rows,
    lowest_ratio,
    not_judged,
    not_worse,
    verdict_of,
    widest_difference,
)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("seen", "passed", "reason"),
    [
        (Estimate(0.8, 0.76, 0.84), True, "meets the floor with its whole interval"),
        (Estimate(0.76, 0.72, 0.8), True, "meets the floor, but its interval crosses it"),
        (Estimate(0.75, 0.75, 0.8), True, "meets the floor with its whole interval"),
        (Estimate(0.74, 0.7, 0.78), False, "misses the floor, but its interval crosses it"),
        (Estimate(0.6, 0.55, 0.65), False, "misses the floor with its whole interval"),
        (UNDEFINED, False, "undefined on these rows"),
    ],
)
def test_the_value_decides_a_floor_and_the_reason_names_the_interval(seen: Estimate, passed: bool, reason: str) -> None:
    gate = floor(seen, 0.75)
    assert (gate.passed, gate.reason) == (passed, reason)


@pytest.mark.parametrize(
    ("seen", "passed"), [(Estimate(0.1, 0.05, 0.2), True), (Estimate(0.11, 0.05, 0.2), False), (UNDEFINED, False)]
)
def test_the_value_decides_a_ceiling(seen: Estimate, passed: bool) -> None:
    assert ceiling(seen, 0.1).passed is passed


def pair(value: float, low: float, high: float, *, larger: str = "young", smaller: str = "old") -> PairGap:
    return PairGap(value, low, high, larger=larger, smaller=smaller)


@pytest.mark.parametrize(
    ("gap", "passed", "word"),
    [
        (pair(0.05, 0.01, 0.09), True, "within the limit"),
        (pair(0.05, -0.02, 0.12), True, "within the limit, but its interval crosses it"),
        (pair(0.1, 0.05, 0.15), True, "within the limit, but its interval crosses it"),
        (pair(0.12, -0.01, 0.25), True, "beyond the limit, but not significant"),
        (pair(0.12, 0.01, 0.23), False, "beyond the limit and significant"),
        (pair(0.2, 0.15, 0.25), False, "beyond the limit with its whole interval"),
    ],
)
def test_a_difference_beyond_the_limit_fails_when_it_is_significant(gap: PairGap, passed: bool, word: str) -> None:
    gate = widest_difference([gap], 0.1)
    assert (gate.passed, gate.reason) == (passed, f"young against old: {word}")


@pytest.mark.parametrize(
    ("ratio", "passed", "word"),
    [
        (pair(0.9, 0.82, 0.98), True, "within the limit"),
        (pair(0.9, 0.7, 1.1), True, "within the limit, but its interval crosses it"),
        (pair(0.7, 0.4, 1.1), True, "beyond the limit, but not significant"),
        (pair(0.7, 0.55, 0.9), False, "beyond the limit and significant"),
        (pair(0.5, 0.4, 0.6), False, "beyond the limit with its whole interval"),
    ],
)
def test_a_ratio_below_the_limit_fails_when_it_is_significant(ratio: PairGap, passed: bool, word: str) -> None:
    gate = lowest_ratio([ratio], 0.8)
    assert (gate.passed, gate.reason) == (passed, f"young against old: {word}")


def test_a_wider_gap_that_is_not_significant_does_not_hide_a_significant_one() -> None:
    gate = widest_difference([pair(0.3, -0.01, 0.5, smaller="few"), pair(0.15, 0.12, 0.18)], 0.1)
    assert (gate.passed, gate.value) == (False, 0.15)
    ratio = lowest_ratio([pair(0.2, 0.01, 1.1, smaller="few"), pair(0.6, 0.5, 0.7)], 0.8)
    assert (ratio.passed, ratio.value) == (False, 0.6)


def test_without_a_significant_difference_the_widest_is_shown() -> None:
    assert widest_difference([pair(0.02, 0.0, 0.04), pair(0.08, 0.0, 0.16)], 0.1).value == 0.08


def test_a_gate_that_is_not_judged_blocks_nothing() -> None:
    gate = not_judged("at most", 0.1, "nothing to compare")
    assert (gate.verdict, gate.passed, gate.value) == ("not judged", True, None)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (Estimate(8.0, 7.0, None), "exceeds the limit with its whole interval"),
        (Estimate(8.0, 4.0, None), "exceeds the limit, but its interval crosses it"),
        (Estimate(8.0, None, None), "exceeds the limit"),
    ],
)
def test_an_unknown_end_of_an_interval_is_infinite(seen: Estimate, reason: str) -> None:
    assert ceiling(seen, 5.0).reason == reason


def scored(rows: int, *, skills: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    labels, shared = rng.random(rows) < 0.4, rng.normal(size=rows)
    scores = [1 / (1 + np.exp(-(skill * labels + shared + rng.normal(0, 0.3, rows)))) for skill in skills]
    return labels, np.round(scores[0], 6), np.round(scores[1], 6)


def test_an_equal_challenger_is_not_worse() -> None:
    labels, champion, _ = scored(300, skills=(1, 1))
    gate = not_worse(labels, champion, champion, margin=0.01, resamples=200, rng=generator())
    assert (gate.value, gate.low, gate.high, gate.passed) == (0, 0, 0, True)


def test_a_worse_challenger_fails() -> None:
    gate = not_worse(*scored(3000, skills=(1.5, 0.5)), margin=0.01, resamples=200, rng=generator())
    assert not gate.passed
    assert gate.high is not None
    assert gate.high < -0.01


def test_too_few_rows_cannot_show_that_it_is_not_worse() -> None:
    gate = not_worse(*scored(40, skills=(1, 1)), margin=0.01, resamples=200, rng=generator())
    assert not gate.passed
    assert gate.reason.endswith("includes a loss beyond the margin")


def test_the_paired_interval_agrees_with_delongs() -> None:
    labels, champion, challenger = scored(2000, skills=(1, 1.1))
    gate = not_worse(labels, champion, challenger, margin=0.01, resamples=4000, rng=generator())
    expected = compare_areas(labels, champion, challenger)
    assert gate.value == pytest.approx(expected.difference, abs=1e-12)
    assert expected.low is not None
    assert expected.high is not None
    assert [gate.low, gate.high] == pytest.approx([expected.low, expected.high], abs=0.001)


@pytest.mark.parametrize(("rows", "reason"), [(5, "one class only"), (0, "no row")])
def test_one_class_or_none_cannot_show_anything(rows: int, reason: str) -> None:
    scores = np.full(rows, 0.5)
    gate = not_worse(np.ones(rows, bool), scores, scores, margin=0.1, resamples=200, rng=generator())
    assert (gate.passed, gate.reason) == (False, f"undefined on these rows: {reason}")


GOOD, BAD = floor(Estimate(0.9, 0.8, 1.0), 0.5), floor(Estimate(0.4, 0.3, 0.5), 0.6)


def held(**gates: Any) -> list[NamedGate]:
    return [
        NamedGate(name, "performance", decides=not name.startswith("informational"), gate=gate)
        for name, gate in gates.items()
    ]


def test_one_failed_gate_fails_the_verdict_and_is_named() -> None:
    verdict = verdict_of(held(good=GOOD, bad=BAD))
    assert (verdict["passed"], verdict["failed"]) == (False, ["bad"])
    assert verdict_of(held(good=GOOD))["passed"] is True


def test_an_informational_gate_never_fails_the_verdict() -> None:
    verdict = verdict_of(held(good=GOOD, informational=BAD))
    assert (verdict["passed"], verdict["failed"]) == (True, [])
    assert [found["gate"] for found in verdict["gates"]] == ["good"]
    assert [(found["gate"], found["verdict"], found["passed"]) for found in verdict["reported"]] == [
        ("informational", "failed", False)
    ]


def test_the_plot_has_one_row_for_each_gate() -> None:
    rows = gate_rows(held(good=GOOD, informational=BAD))
    assert [(row["passed"], row["decides"], row["about"]) for row in rows] == [
        ("yes", "yes", "performance"),
        ("no", "no", "performance"),
    ]
