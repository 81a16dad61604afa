"""The positive class of a target, or why it has none."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.core.errors import SourceError
from ops.init.column_facts import ColumnFacts
from ops.init.column_types import ENOUGH_ROWS, FEW_LEVELS

POSITIVE_WORDS = frozenset({"yes", "y", "true", "t", "positive", "pos", "churn", "churned", "left", "exited"}) | {
    *("attrited", "lost", "cancelled", "canceled", "default", "defaulted", "bad", "fraud", "spam", "sick", "disease"),
    *("malignant", "won", "converted", "bought", "subscribed", "high"),
}
FEWEST_OF_A_CLASS = 3  # one for each part of the split
CLASSES_SHOWN = 10


@dataclass(frozen=True)
class Label:
    """The positive value of the target, its count, and the number of labelled rows."""

    positive: str | int
    positives: int
    rows: int
    reason: str


def label_of(facts: ColumnFacts, chosen: str | None) -> Label:
    """Return the positive class, chosen or found; a target without two classes is refused."""
    found = dict(facts.counts)
    shown = ", ".join(f"{level!r} ({count:,} rows)" for level, count in facts.counts[:CLASSES_SHOWN])
    shown += f" and {facts.levels - CLASSES_SHOWN:,} more" if facts.levels > CLASSES_SHOWN else ""
    if facts.levels < 2:
        raise SourceError(
            f"the target {facts.name!r} has one class, {shown or 'for it is empty'}; expected two. "
            "Cure: add rows of the other class, or name another --target."
        )
    if facts.levels == facts.present >= ENOUGH_ROWS and chosen is None and facts.fits["number"] < facts.present:
        raise SourceError(
            f"the target {facts.name!r} differs in every row, as an identifier does; expected two classes. "
            "Name another --target."
        )
    if facts.levels > FEW_LEVELS and chosen is None and facts.fits["number"] == facts.present:
        raise SourceError(
            f"the target {facts.name!r} has {facts.levels:,} different numbers, {facts.lowest:g} to {facts.highest:g}; "
            "expected two classes. Cure: --above NUMBER, for the rows above it against all others."
        )
    if facts.levels > 2 and chosen is None:
        raise SourceError(
            f"the target {facts.name!r} has {facts.levels:,} classes, {shown}; expected two. "
            "Cure: --positive VALUE, for that class against all others."
        )
    if chosen is not None and chosen not in found:
        raise SourceError(
            f"the target {facts.name!r} has no class {chosen!r}, expected one of {shown}. Cure: correct --positive."
        )
    positive, reason = (chosen, "--positive says so") if chosen is not None else _positive_of(facts.counts)
    whole = facts.fits["integer"] == facts.present and positive.isdigit()
    rarer = min(found[positive], facts.present - found[positive])
    if rarer < FEWEST_OF_A_CLASS:
        raise SourceError(
            f"the target {facts.name!r} has {rarer} rows of the rarer class, expected at least {FEWEST_OF_A_CLASS}: "
            "training, test and newest rows need one each. Add rows."
        )
    return Label(int(positive) if whole else positive, found[positive], facts.present, reason)


def _positive_of(counts: Sequence[tuple[str, int]]) -> tuple[str, str]:
    # a 1 is positive only next to a 0; next to a 2 it is just a number
    words = POSITIVE_WORDS | ({"1", "1.0"} if counts[0][0] in {"0", "0.0"} or counts[-1][0] in {"0", "0.0"} else set())
    telling = [level for level, _ in counts if level.casefold() in words]
    return (telling[0], "its word means yes") if len(telling) == 1 else (counts[-1][0], "it is the rarer class")
