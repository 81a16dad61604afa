"""The folded parts of a page, and how they are shortened until the page is short enough to be posted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

LIMIT = 59_000  # characters; GitHub refuses a comment of more than 65,536, and a poster may add a line
LEAST = 600


@dataclass(frozen=True)
class Fold:
    """A part that opens when its title is clicked: lines that always stay, then lines that may be cut from the end.

    The title is HTML of our own: no word of it may come from the repository.
    """

    title: str
    opening: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    cut: int = 0

    @property
    def text(self) -> str:
        more = ("", f"… and {self.cut:,} more lines, which `python -m ops compare` tells.") if self.cut else ()
        body = "\n".join([*self.opening, *self.lines, *more])
        return f"<details>\n<summary>{self.title}</summary>\n\n{body}\n\n</details>"


def page_of(top: str, folds: Sequence[Fold], *, limit: int = LIMIT) -> str:
    """Return the page; where it would be too long the longest folds lose lines from their ends, and say how many."""
    share = max((len(fold.text) for fold in folds), default=0)
    shown = list(folds)
    while len(page := _joined(top, shown)) > limit and share > LEAST:
        share = share * 3 // 4
        shown = [_shortened(fold, share) for fold in folds]
    return page


def _joined(top: str, folds: Sequence[Fold]) -> str:
    return "\n\n".join([top, *(fold.text for fold in folds)]) + "\n"


def _shortened(fold: Fold, length: int) -> Fold:
    """Return the fold with as many lines as fit into so many characters."""
    room = length - len(replace(fold, lines=(), cut=len(fold.lines)).text)
    kept = 0
    for line in fold.lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept += 1
    return fold if len(fold.text) <= length else replace(fold, lines=fold.lines[:kept], cut=len(fold.lines) - kept)
