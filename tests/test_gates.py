"""Each gate passes and fails where it should, and says why."""

import numpy as np
import pytest

from lab.gates import accuracy_gap, ceiling, floor, gate_rows, not_worse, verdict_of
from lab.stats.areas import compare_areas
from lab.stats.bootstrap import UNDEFINED, Estimate


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("seen", "passed", "reason"),
    [
        (Estimate(0.8, 0.76, 0.84), True, "meets the floor, as does the whole interval"),
        (Estimate(0.76, 0.72, 0.8), True, "meets the floor, but the interval holds both sides"),
        (Estimate(0.75, 0.75, 0.8), True, "meets the floor, as does the whole interval"),
        (Estimate(0.74, 0.7, 0.78), False, "misses the floor, but the interval holds both sides"),
        (Estimate(0.6, 0.55, 0.65), False, "misses the floor, as does the whole interval"),
        (UNDEFINED, False, "undefined on these rows"),
    ],
)
def test_a_floor_is_reached_by_the_value_and_the_interval_is_said(seen: Estimate, passed: bool, reason: str) -> None:
    gate = floor(seen, 0.75)
    assert (gate.passed, gate.reason) == (passed, reason)


@pytest.mark.parametrize(
    ("seen", "passed"), [(Estimate(0.1, 0.05, 0.2), True), (Estimate(0.11, 0.05, 0.2), False), (UNDEFINED, False)]
)
def test_a_ceiling_is_kept_by_the_value(seen: Estimate, passed: bool) -> None:
    assert ceiling(seen, 0.1).passed is passed


def groups(**trials: tuple[int, int]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    correct = np.concatenate([np.arange(rows) < hits for hits, rows in trials.values()])
    names = np.repeat(list(trials), [rows for _, rows in trials.values()])
    return correct, {name: names == name for name in trials}


def test_a_wide_gap_between_large_groups_fails_and_names_both() -> None:
    gate = accuracy_gap(*groups(young=(900, 1000), old=(700, 1000)), threshold=0.1, smallest=50)
    assert not gate.passed
    assert gate.value == pytest.approx(0.2)
    assert gate.reason == "young against old: beyond the limit and more than chance"


def test_a_wide_gap_that_may_be_chance_does_not_count() -> None:
    gate = accuracy_gap(*groups(young=(45, 50), old=(39, 50)), threshold=0.1, smallest=50)
    assert gate.passed
    assert gate.reason == "young against old: beyond the limit, but it may be chance"


def test_a_narrow_gap_passes_and_says_whether_more_can_be_ruled_out() -> None:
    sure = accuracy_gap(*groups(young=(9000, 10_000), old=(8900, 10_000)), threshold=0.1, smallest=50)
    unsure = accuracy_gap(*groups(young=(90, 100), old=(85, 100)), threshold=0.1, smallest=50)
    assert sure.passed and unsure.passed  # noqa: PT018 - two of a kind
    assert sure.reason.endswith("within the limit")
    assert unsure.reason.endswith("within the limit, but more cannot be ruled out")


def test_a_small_group_is_left_out_and_named() -> None:
    gate = accuracy_gap(*groups(young=(900, 1000), old=(890, 1000), missing=(0, 49)), threshold=0.1, smallest=50)
    assert gate.passed
    assert gate.reason.endswith("too small to judge: missing (49 rows)")


def test_one_group_alone_has_nothing_to_compare() -> None:
    gate = accuracy_gap(*groups(young=(900, 1000)), threshold=0.1, smallest=50)
    assert (gate.passed, gate.value) == (True, None)
    assert gate.reason == "nothing to compare: 1 group of at least 50 rows"


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
    assert gate.reason.endswith("does not rule out a loss of the margin")


def test_the_paired_interval_agrees_with_delongs() -> None:
    labels, champion, challenger = scored(2000, skills=(1, 1.1))
    gate = not_worse(labels, champion, challenger, margin=0.01, resamples=4000, rng=generator())
    expected = compare_areas(labels, champion, challenger)
    assert gate.value == pytest.approx(expected.difference, abs=1e-12)
    assert expected.low is not None
    assert expected.high is not None
    assert [gate.low, gate.high] == pytest.approx([expected.low, expected.high], abs=0.001)


def test_one_class_cannot_show_anything() -> None:
    gate = not_worse(np.ones(5, bool), np.full(5, 0.5), np.full(5, 0.5), margin=0.1, resamples=200, rng=generator())
    assert (gate.passed, gate.reason) == (False, "one class only")


def test_one_failed_gate_fails_the_verdict_and_is_named() -> None:
    gates = {"good": floor(Estimate(0.9, 0.8, 1.0), 0.5), "bad": floor(Estimate(0.4, 0.3, 0.5), 0.6)}
    verdict = verdict_of(gates)
    assert (verdict["passed"], verdict["failed"]) == (False, ["bad"])
    assert verdict_of({"good": gates["good"]})["passed"] is True
    assert [row["passed"] for row in gate_rows(gates)] == ["yes", "no"]
