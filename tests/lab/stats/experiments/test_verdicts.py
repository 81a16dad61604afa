"""The first rule that applies decides the experiment."""

from typing import Any

import pytest

from lab.stats.experiments.verdicts import EXIT_CODES, Finding, Progress, decide

BETTER = Finding("kept", 0.02, 0.004, 0.036)
WORSE = Finding("kept", -0.02, -0.036, -0.004)
UNCLEAR = Finding("kept", 0.002, -0.01, 0.014)
HELD = Finding("complaints", -0.001, -0.004, 0.002, margin=0.005)
HARMED = Finding("complaints", -0.02, -0.03, -0.01, margin=0.005)
UNSURE = Finding("complaints", -0.003, -0.01, 0.004, margin=0.005)
LAST, EARLY, TOO_EARLY = Progress(5, 5, True), Progress(2, 5, True), Progress(2, 5, False)


@pytest.mark.parametrize(
    ("outcome", "rail", "progress", "action", "rule"),
    [
        (BETTER, HELD, LAST, "SHIP", "better, and all guardrails pass"),
        (BETTER, HELD, EARLY, "SHIP", "better, and all guardrails pass"),
        (BETTER, HELD, TOO_EARLY, "EXTEND", "too early to decide"),
        (BETTER, HARMED, LAST, "ROLLBACK", "a guardrail is worse"),
        (BETTER, HARMED, EARLY, "ROLLBACK", "a guardrail is worse"),
        (BETTER, UNSURE, EARLY, "EXTEND", "not enough data yet"),
        (BETTER, UNSURE, LAST, "INCONCLUSIVE", "better, but a guardrail is uncertain"),
        (WORSE, HELD, EARLY, "ROLLBACK", "the primary outcome is worse"),
        (UNCLEAR, HELD, EARLY, "EXTEND", "not enough data yet"),
        (UNCLEAR, HELD, LAST, "INCONCLUSIVE", "no significant difference"),
    ],
)
def test_the_first_rule_that_fires_decides(
    outcome: Finding, rail: Finding, progress: Progress, action: Any, rule: str
) -> None:
    verdict = decide(outcome, guardrails=(rail,), progress=progress)
    assert (verdict.action, verdict.rule) == (action, rule)
    assert verdict.exit_code == EXIT_CODES[action]
    assert verdict.reasons


def test_a_fault_comes_before_everything() -> None:
    verdict = decide(BETTER, guardrails=(HARMED,), faults=("sample ratio mismatch",), progress=TOO_EARLY)
    assert (verdict.action, verdict.reasons) == ("INVALID", ("sample ratio mismatch",))


def test_a_guardrail_without_an_interval_is_not_shown_to_hold() -> None:
    unknown = Finding("complaints", 0.0, None, None, margin=0.005)
    assert decide(BETTER, guardrails=(unknown,), progress=LAST).action == "INCONCLUSIVE"


def test_the_reasons_hold_the_numbers() -> None:
    assert decide(BETTER, guardrails=(HELD,), progress=LAST).reasons == (
        "kept: 0.02 [0.004, 0.036]",
        "complaints: -0.001 [-0.004, 0.002], margin 0.005",
    )


def test_every_action_ends_a_command_in_its_own_way() -> None:
    assert len(set(EXIT_CODES.values())) == 5
    assert [action for action, code in EXIT_CODES.items() if code == 0] == ["SHIP"]
