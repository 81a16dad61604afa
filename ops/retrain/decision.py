"""How a retraining ends: one word, its exit code, and the reasons."""

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
        "proposed": "PROPOSED: a better candidate waits for a review; nothing is promoted before it is merged",
        "would train": "WOULD TRAIN: the data is sound and a retraining is due; this was a dry run",
        "crashed": "CRASHED: the run broke off; what had ended is kept, and the same command goes on from there",
        "no need": "NO NEED: nothing says that a retraining is due",
        "rejected": "REJECTED: the candidate may not take the champion's place",
        "refused": "DATA REFUSED: nothing was trained, and the last good outputs are untouched",
        "busy": "BUSY: another retraining runs in this repository",
    }
)


@dataclass(frozen=True)
class Decision:
    """The end of a retraining; `again` tells that an earlier run came to it, `next` is what a person would type."""

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
        """The exit code by which a script tells the ends apart."""
        return CODES[self.word]


class EndedError(Exception):
    """The retraining ends here, with this decision."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.word)
        self.decision = decision


def told(decision: Decision) -> str:
    """Return the decision as lines for a person: what it is, why, and what to do next."""
    return "\n".join(
        [
            SENTENCES[decision.word],
            *(f"  {line}" for reason in decision.reasons for line in reason.splitlines()),
            *([f"Branch: {decision.branch}"] if decision.branch else []),
            *([f"Pull request: {decision.pull_request}"] if decision.pull_request else []),
            *(["Next:", *(f"  {command}" for command in decision.next)] if decision.next else []),
        ]
    )
