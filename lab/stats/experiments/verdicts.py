"""Decide what to do after an experiment: action, rule and reasons."""

from dataclasses import dataclass
from typing import Literal

Action = Literal["INVALID", "ROLLBACK", "SHIP", "EXTEND", "INCONCLUSIVE"]
EXIT_CODES: dict[Action, int] = {"SHIP": 0, "INCONCLUSIVE": 3, "EXTEND": 4, "ROLLBACK": 5, "INVALID": 6}


@dataclass(frozen=True)
class Finding:
    """The difference of a metric, treatment minus control, signed so that higher is better, with its interval.

    The interval must be valid under the stopping rule; an unknown end is None. `margin` is how much worse a guardrail
    may be, 0 for the primary outcome.
    """

    name: str
    difference: float
    low: float | None
    high: float | None
    margin: float = 0.0

    @property
    def better(self) -> bool:
        """Return whether the whole interval is above 0."""
        return self.low is not None and self.low > 0

    @property
    def worse(self) -> bool:
        """Return whether the whole interval is below the margin."""
        return self.high is not None and self.high < -self.margin

    @property
    def safe(self) -> bool:
        """Return whether the whole interval is above the margin (non-inferior)."""
        return self.low is not None and self.low > -self.margin


@dataclass(frozen=True)
class Progress:
    """The current look; `looks_allowed` says that the intervals are valid at every look, not only at the last."""

    look: int
    looks: int
    looks_allowed: bool

    @property
    def final(self) -> bool:
        """Return whether this is the last planned look."""
        return self.look >= self.looks


@dataclass(frozen=True)
class Verdict:
    """The action, the rule that applies, and the reasons."""

    action: Action
    rule: str
    reasons: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.action]


def decide(
    outcome: Finding, *, guardrails: tuple[Finding, ...] = (), faults: tuple[str, ...] = (), progress: Progress
) -> Verdict:
    """Return the first rule that applies: invalid, too early, harm, success, more data needed, inconclusive.

    `faults` make the experiment invalid: a sample ratio mismatch, arms that differed before the experiment.

    >>> decide(Finding("kept", 0.02, 0.004, 0.036), progress=Progress(5, 5, True)).action
    'SHIP'
    """
    worse = tuple(_to_text(guardrail) for guardrail in guardrails if guardrail.worse)
    uncertain = tuple(_to_text(guardrail) for guardrail in guardrails if not guardrail.safe)
    primary, passed = (_to_text(outcome),), tuple(_to_text(guardrail) for guardrail in guardrails)
    missing = uncertain if outcome.better else primary + uncertain
    early = not progress.final and not progress.looks_allowed
    when = (f"look {progress.look} of {progress.looks}; only the last one is valid",)
    rules: list[tuple[bool, Action, str, tuple[str, ...]]] = [
        (bool(faults), "INVALID", "the experiment is invalid", faults),
        (early, "EXTEND", "too early to decide", when),
        (bool(worse), "ROLLBACK", "a guardrail is worse", worse),
        (outcome.worse, "ROLLBACK", "the primary outcome is worse", primary),
        (outcome.better and not uncertain, "SHIP", "better, and all guardrails pass", primary + passed),
        (not progress.final, "EXTEND", "not enough data yet", missing),
        (outcome.better, "INCONCLUSIVE", "better, but a guardrail is uncertain", missing),
        (True, "INCONCLUSIVE", "no significant difference", missing),
    ]
    return next(Verdict(action, rule, reasons) for applies, action, rule, reasons in rules if applies)


def _to_text(finding: Finding) -> str:
    ends = [f"{end:.6g}" if end is not None else "unknown" for end in (finding.low, finding.high)]
    margin = f", margin {finding.margin:.6g}" if finding.margin else ""
    return f"{finding.name}: {finding.difference:.6g} [{ends[0]}, {ends[1]}]{margin}"
