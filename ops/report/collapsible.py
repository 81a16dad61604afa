"""Render collapsible sections, shortened until the page fits into a comment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

LIMIT = 59_000  # characters; GitHub refuses a comment of more than 65,536, and posting may add a line
LEAST = 600


@dataclass(frozen=True)
class Section:
    """A collapsible section: lines that always stay, then lines that may be cut from the end.

    The title is trusted HTML: it must not contain text from the repository.
    """

    title: str
    opening: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    cut: int = 0

    @property
    def text(self) -> str:
        more = ("", f"… and {self.cut:,} more lines: see `python -m ops compare`.") if self.cut else ()
        body = "\n".join([*self.opening, *self.lines, *more])
        return f"<details>\n<summary>{self.title}</summary>\n\n{body}\n\n</details>"


def page_of(top: str, sections: Sequence[Section], *, limit: int = LIMIT) -> str:
    """Return the page; if it is too long, the longest sections lose lines, and say how many."""
    share = max((len(section.text) for section in sections), default=0)
    shown = list(sections)
    while len(page := _joined(top, shown)) > limit and share > LEAST:
        share = share * 3 // 4
        shown = [_shortened(section, share) for section in sections]
    return page


def _joined(top: str, sections: Sequence[Section]) -> str:
    return "\n\n".join([top, *(section.text for section in sections)]) + "\n"


def _shortened(section: Section, length: int) -> Section:
    """Return the section with as many lines as fit into `length` characters."""
    room = length - len(replace(section, lines=(), cut=len(section.lines)).text)
    kept = 0
    for line in section.lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept += 1
    return (
        section
        if len(section.text) <= length
        else replace(section, lines=section.lines[:kept], cut=len(section.lines) - kept)
    )
