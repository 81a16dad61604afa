"""Fit a report into a GitHub comment: title first, length limited."""

import re

LONGEST = 60_000  # characters; GitHub refuses more than 65,536, and CML adds its watermark
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


def titled(text: str, *, title: str) -> str:
    r"""Return a report with the title as its first line.

    >>> titled("All is well.", title="## Report")
    '## Report\n\nAll is well.'
    """
    text = text.strip()
    return text if is_titled(text, title=title) else f"{title}\n\n{text}".strip()


def is_titled(text: str, *, title: str) -> bool:
    """Return whether the first line of a text is the title."""
    return text.lstrip().partition("\n")[0].rstrip() == title


def is_same(posted: str, text: str) -> bool:
    """Return whether a comment has this text already, apart from CML's watermark."""
    posted = posted.replace("\r\n", "\n").strip()
    return posted == text or posted.startswith(f"{text}\n\n![](https://cml.dev/watermark.png")


def fitted(text: str, *, artifact: str, longest: int = LONGEST) -> str:
    r"""Return a report of at most `longest` characters: cut between paragraphs, with a note that names the artifact.

    >>> print(fitted("one, two, three, four\n\nfive " + 300 * "x", artifact="report", longest=115))
    one, two, three, four
    <BLANKLINE>
    > The report is too long for a comment. The artifact `report` has all of it.
    """
    if len(text) <= longest:
        return text
    note = f"\n\n> The report is too long for a comment. The artifact `{artifact}` has all of it."
    room = longest - len(note)
    kept = _cut(text, room)
    while (excess := len(kept) + len(closing(kept)) - room) > 0:
        kept = _cut(kept, len(kept) - excess)
    return f"{kept}{closing(kept)}{note}"


def closing(text: str) -> str:
    """Return the ends of a code fence and of <details> that a text leaves open."""
    fence = ""
    for line in text.split("\n"):
        found = FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
    details = max(0, text.count("<details") - text.count("</details>"))
    return (f"\n{fence}" if fence else "") + details * "\n\n</details>"


def _cut(text: str, room: int) -> str:
    # Between paragraphs, unless that drops much: one <details> may be a block of a thousand lines.
    for boundary, least in (("\n\n", room * 3 // 4), ("\n", room // 2)):
        if (end := text.rfind(boundary, least, room)) > 0:
            return text[:end].rstrip()
    return text[:room]
