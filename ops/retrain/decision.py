"""Define how a retraining ends: its decision, exit code and reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Word = Literal["proposed", "would train", "no need", "rejected", "refused", "busy", "crashed"]

CODES: Mapping[Word, int] = MappingProxyType(
    {"proposed": 0, "would train": 0, "crashed": 1, "no need": 10, "rejected": 11, "refused": 12, "busy": 13}
)
SENTENCES: Mapping[Word, str] = MappingProxyType(
    {
        "proposed": "PROPOSED: a better candidate waits for review; merging it promotes it",
        "would train": "WOULD TRAIN: the data is valid and a retraining is due; this was a dry run",
        "crashed": "CRASHED: the run failed; finished steps are kept, and the same command resumes",
        "no need": "NO NEED: no rule says that a retraining is due",
        "rejected": "REJECTED: the candidate may not replace the champion",
        "refused": "DATA REFUSED: nothing was trained; the last good outputs are unchanged",
        "busy": "BUSY: another retraining runs in this repository",
    }
)


@dataclass(frozen=True)
class Decision:
    """The end of a retraining; `again` marks an earlier run's decision, `next` lists commands for a person."""

    word: Word
    reasons: tuple[str, ...]
    again: bool = False
    task: str | None = None
    base: str | None = None
    branch: str | None = None
    commit: str | None = None
    experiment: str | None = None
    pull_request: str | None = None
    next: tuple[str, ...] = ()
    drift: Mapping[str, Any] | None = None
    promotion: Mapping[str, Any] | None = field(default=None)

    @property
    def code(self) -> int:
        """The exit code of the command."""
        return CODES[self.word]


class EndedError(Exception):
    """End the retraining with this decision."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.word)
        self.decision = decision


def to_text(decision: Decision) -> str:
    """Return the decision, its reasons and the next steps as text."""
    return "\n".join(
        [
            SENTENCES[decision.word],
            *(f"  {line}" for reason in decision.reasons for line in reason.splitlines()),
            *([f"Branch: {decision.branch}"] if decision.branch else []),
            *([f"Pull request: {decision.pull_request}"] if decision.pull_request else []),
            *(["Next:", *(f"  {command}" for command in decision.next)] if decision.next else []),
        ]
    )
