"""Count the lines of a log that cannot be read, by reason."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why lines cannot be read, how many, and the first of them: its id, or its file and line."""

    reason: str
    lines: int
    first: str

    @property
    def text(self) -> str:
        return f"{self.lines} because {self.reason} (first: {self.first})"


@dataclass(frozen=True)
class SetAside:
    """The lines that are set aside, most frequent reason first; `lines` includes those that are read."""

    lines: int = 0
    reasons: tuple[Reason, ...] = ()

    @property
    def count(self) -> int:
        return sum(reason.lines for reason in self.reasons)

    @property
    def share(self) -> float:
        return self.count / self.lines if self.lines else 0.0


def counted(found: Iterable[tuple[str, str]], *, read: int) -> SetAside:
    """Return the counts of (reason, where) pairs in file order, beside the lines that were read."""
    firsts: dict[str, str] = {}
    counts: dict[str, int] = {}
    for reason, where in found:
        firsts.setdefault(reason, where)
        counts[reason] = counts.get(reason, 0) + 1
    order = sorted(counts, key=lambda reason: (-counts[reason], reason))
    return SetAside(read + sum(counts.values()), tuple(Reason(each, counts[each], firsts[each]) for each in order))
