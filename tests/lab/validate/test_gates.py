"""Each gate passes, fails, or is within noise, by one rule, and gives the reason."""

from typing import Any

import numpy as np
import pytest

from lab.stats.core.areas import compare_areas
from lab.stats.models.bootstrap import UNDEFINED, Estimate
from lab.stats.models.gaps import PairGap
from lab.validate.fairness import worst_pair
from lab.validate.gates import NamedGate, gate_rows, judge, not_judged, not_worse, verdict_of


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


# Each line: the value with its interval, beside a limit of 0.75 that must be kept from above.
CASES = [
    (Estimate(0.8, 0.76, 0.84), "passed", "keeps the limit with its whole interval"),
    (Estimate(0.76, 0.72, 0.8), "passed", "keeps the limit, but its interval crosses it"),
    (Estimate(0.75, 0.75, 0.8), "passed", "keeps the limit with its whole interval"),
    (Estimate(0.75, 0.7, 0.8), "passed", "keeps the limit, but its interval crosses it"),
    (Estimate(0.74, 0.7, 0.78), "within noise", "beyond the limit, but its interval holds it"),
    (Estimate(0.74, 0.7, 0.75), "within noise", "beyond the limit, but its interval holds it"),
    (Estimate(0.74, 0.7, 0.7499), "failed", "beyond the limit with its whole interval"),
    (Estimate(0.6, 0.55, None), "within noise", "beyond the limit, but its interval holds it"),
    (Estimate(0.6, None, 0.65), "failed", "beyond the limit with its whole interval"),
    (Estimate(0.8, None, None), "passed", "keeps the limit"),
    (Estimate(0.74, None, None), "failed", "beyond the limit"),
    (UNDEFINED, "failed", "undefined on these rows"),
]


def mirrored(seen: Estimate) -> Estimate:
    value, low, high = (None if end is None else -end for end in (seen.value, seen.high, seen.low))
    return Estimate(value, low, high)


@pytest.mark.parametrize(("seen", "verdict", "reason"), CASES)
def test_a_gate_passes_fails_or_is_within_noise(seen: Estimate, verdict: str, reason: str) -> None:
    gate = judge(seen, "at least", 0.75)
    assert (gate.verdict, gate.reason) == (verdict, reason)


@pytest.mark.parametrize(("seen", "verdict", "reason"), CASES)
def test_a_limit_from_below_is_the_mirror_of_one_from_above(seen: Estimate, verdict: str, reason: str) -> None:
    gate = judge(mirrored(seen), "at most", -0.75)
    assert (gate.verdict, gate.reason) == (verdict, reason)


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(-0.009, 0.02, "passed"), (-0.01, 0.02, "within noise"), (-0.03, -0.011, "failed")]
)
def test_non_inferiority_needs_the_whole_interval(low: float, high: float, verdict: str) -> None:
    assert judge(Estimate((low + high) / 2, low, high), "above", -0.01).verdict == verdict


def test_without_an_interval_nothing_is_within_noise() -> None:
    seen = {judge(Estimate(value, None, None), "at most", 5.0).verdict for value in (4.9, 5.0, 5.1, 50.0)}
    assert seen == {"passed", "failed"}


def pair(value: float, low: float, high: float, *, smaller: str = "old") -> PairGap:
    return PairGap(value, low, high, larger="young", smaller=smaller)


def test_the_pair_with_the_worst_verdict_is_shown() -> None:
    gate = worst_pair([pair(0.3, -0.01, 0.5, smaller="few"), pair(0.15, 0.12, 0.18)], "at most", 0.1)
    assert (gate.verdict, gate.value) == ("failed", 0.15)
    assert gate.reason == "young against old: beyond the limit with its whole interval"
    ratio = worst_pair([pair(0.2, 0.01, 1.1, smaller="few"), pair(0.6, 0.5, 0.7)], "at least", 0.8)
    assert (ratio.verdict, ratio.value) == ("failed", 0.6)


def test_of_pairs_with_one_verdict_the_widest_is_shown() -> None:
    assert worst_pair([pair(0.02, 0.0, 0.04), pair(0.08, 0.0, 0.09)], "at most", 0.1).value == 0.08
    assert worst_pair([pair(0.7, 0.4, 0.9), pair(0.5, 0.2, 0.9)], "at least", 0.8).value == 0.5


def test_a_gap_beyond_the_limit_is_within_noise_though_it_differs_from_zero() -> None:
    assert worst_pair([pair(0.12, 0.01, 0.23)], "at most", 0.1).verdict == "within noise"


def test_a_gate_that_is_not_judged_blocks_nothing() -> None:
    gate = not_judged("at most", 0.1, "nothing to compare")
    assert (gate.verdict, gate.value) == ("not judged", None)
    verdict = verdict_of([NamedGate("gap", "fairness", decides=True, gate=gate)])
    assert (verdict["passed"], verdict["failed"], verdict["within_noise"]) == (True, [], [])


def scored(rows: int, *, skills: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    labels, shared = rng.random(rows) < 0.4, rng.normal(size=rows)
    scores = [1 / (1 + np.exp(-(skill * labels + shared + rng.normal(0, 0.3, rows)))) for skill in skills]
    return labels, np.round(scores[0], 6), np.round(scores[1], 6)


def test_an_equal_challenger_is_not_worse() -> None:
    labels, champion, _ = scored(300, skills=(1, 1))
    gate = not_worse(labels, champion, champion, margin=0.01, resamples=200, rng=generator())
    assert (gate.value, gate.low, gate.high, gate.verdict) == (0, 0, 0, "passed")


def test_a_worse_challenger_fails() -> None:
    gate = not_worse(*scored(3000, skills=(1.5, 0.5)), margin=0.01, resamples=200, rng=generator())
    assert gate.verdict == "failed"
    assert gate.high is not None
    assert gate.high < -0.01


def test_too_few_rows_cannot_show_that_it_is_not_worse() -> None:
    gate = not_worse(*scored(40, skills=(1, 1)), margin=0.01, resamples=200, rng=generator())
    assert gate.verdict == "within noise"
    assert gate.reason.endswith("interval holds the limit") or gate.reason.endswith("interval holds it")


def test_rows_of_one_unit_count_once_against_the_champion() -> None:
    copies = np.repeat(np.arange(400), 5)
    rows = [column[copies] for column in scored(400, skills=(1, 1.1))]
    gate = not_worse(*rows, margin=0.01, resamples=3000, rng=generator(), units=copies)
    expected = compare_areas(*rows, units=copies)
    assert gate.low == pytest.approx(expected.low, abs=0.003)
    assert gate.high == pytest.approx(expected.high, abs=0.003)


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
    assert (gate.verdict, gate.reason) == ("failed", f"undefined on these rows: {reason}")


GOOD, BAD, UNCLEAR = (
    judge(seen, "at least", 0.6)
    for seen in (Estimate(0.9, 0.8, 1.0), Estimate(0.4, 0.3, 0.5), Estimate(0.58, 0.5, 0.65))
)


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
    assert [(found["gate"], found["verdict"]) for found in verdict["reported"]] == [("informational", "failed")]


def test_a_gate_within_noise_is_named_and_fails_nothing() -> None:
    verdict = verdict_of(held(good=GOOD, unclear=UNCLEAR, informational=UNCLEAR))
    assert (verdict["passed"], verdict["failed"], verdict["within_noise"]) == (True, [], ["unclear"])


def test_the_plot_has_one_row_for_each_gate() -> None:
    rows = gate_rows(held(good=GOOD, unclear=UNCLEAR, informational=BAD))
    assert [(row["verdict"], row["decides"], row["about"]) for row in rows] == [
        ("passed", "yes", "performance"),
        ("within noise", "yes", "performance"),
        ("failed", "no", "performance"),
    ]
