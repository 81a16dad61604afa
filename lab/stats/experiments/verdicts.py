"""From what an experiment showed to what to do: one decision, the rule that fired, and why."""

from dataclasses import dataclass
from typing import Literal

Action = Literal["INVALID", "ROLLBACK", "SHIP", "EXTEND", "INCONCLUSIVE"]
EXIT_CODES: dict[Action, int] = {"SHIP": 0, "INCONCLUSIVE": 3, "EXTEND": 4, "ROLLBACK": 5, "INVALID": 6}


@dataclass(frozen=True)
class Finding:
    """A metric's difference, treatment less control, turned so that higher is better, with its interval.

    The interval must hold under the rule by which the experiment is stopped. An end that is not known is None; `margin`
    is how much worse a guardrail may be, and 0 for the outcome that the experiment is about.
    """

    name: str
    difference: float
    low: float | None
    high: float | None
    margin: float = 0.0

    @property
    def better(self) -> bool:
        """Say whether the whole interval lies above 0."""
        return self.low is not None and self.low > 0

    @property
    def worse(self) -> bool:
        """Say whether the whole interval lies below what the margin allows."""
        return self.high is not None and self.high < -self.margin

    @property
    def safe(self) -> bool:
        """Say whether the whole interval lies above what the margin allows: not worse is proven."""
        return self.low is not None and self.low > -self.margin


@dataclass(frozen=True)
class Progress:
    """How far an experiment is; `looks_allowed` says that its intervals hold at every look, not only at the last."""

    look: int
    looks: int
    looks_allowed: bool

    @property
    def final(self) -> bool:
        """Say whether this is the last look that was planned."""
        return self.look >= self.looks


@dataclass(frozen=True)
class Verdict:
    """What to do, the name of the rule that fired, and the reasons in words."""

    action: Action
    rule: str
    reasons: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Return the code with which a command should end."""
        return EXIT_CODES[self.action]


def decide(
    outcome: Finding, *, guardrails: tuple[Finding, ...] = (), faults: tuple[str, ...] = (), progress: Progress
) -> Verdict:
    """Return the first rule that fires: faults, too early, harm, success, patience, and at last nothing shown.

    `faults` are what makes the experiment itself unfit to be read: a sample ratio mismatch, arms that differed before.

    >>> decide(Finding("kept", 0.02, 0.004, 0.036), progress=Progress(5, 5, True)).action
    'SHIP'
    """
    harmed = tuple(_said(rail) for rail in guardrails if rail.worse)
    unsure = tuple(_said(rail) for rail in guardrails if not rail.safe)
    held = tuple(_said(rail) for rail in guardrails)
    seen = (_said(outcome),)
    missing = unsure if outcome.better else seen + unsure
    early = not progress.final and not progress.looks_allowed
    when = (f"look {progress.look} of {progress.looks}, and only the last counts",)
    rules: list[tuple[bool, Action, str, tuple[str, ...]]] = [
        (bool(faults), "INVALID", "unfit to be read", faults),
        (early, "EXTEND", "too early to read", when),
        (bool(harmed), "ROLLBACK", "a guardrail is harmed", harmed),
        (outcome.worse, "ROLLBACK", "the outcome is worse", seen),
        (outcome.better and not unsure, "SHIP", "better, and every guardrail holds", seen + held),
        (not progress.final, "EXTEND", "not enough is known yet", missing),
        (outcome.better, "INCONCLUSIVE", "better, but a guardrail is not shown to hold", missing),
        (True, "INCONCLUSIVE", "no difference is shown", missing),
    ]
    return next(Verdict(action, rule, reasons) for fires, action, rule, reasons in rules if fires)


def _said(finding: Finding) -> str:
    ends = [f"{end:.6g}" if end is not None else "unknown" for end in (finding.low, finding.high)]
    margin = f", margin {finding.margin:.6g}" if finding.margin else ""
    return f"{finding.name}: {finding.difference:.6g} [{ends[0]}, {ends[1]}]{margin}"
