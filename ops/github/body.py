"""Make a report fit for a comment: its title first, and no longer than GitHub takes."""

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
    """Say whether a text begins with the line that is our title."""
    return text.lstrip().partition("\n")[0].rstrip() == title


def is_same(posted: str, text: str) -> bool:
    """Say whether a comment says this already; CML's watermark below it does not count."""
    posted = posted.replace("\r\n", "\n").strip()
    return posted == text or posted.startswith(f"{text}\n\n![](https://cml.dev/watermark.png")


def fitted(text: str, *, artifact: str, longest: int = LONGEST) -> str:
    r"""Return a report of at most so many characters: cut between two paragraphs, with a note of where the rest is.

    >>> print(fitted("one, two, three, four\n\nfive " + 300 * "x", artifact="report", longest=115))
    one, two, three, four
    <BLANKLINE>
    > The report is longer than a comment may be. All of it is in the artifact `report`.
    """
    if len(text) <= longest:
        return text
    note = f"\n\n> The report is longer than a comment may be. All of it is in the artifact `{artifact}`."
    room = longest - len(note)
    kept = _cut(text, room)
    while (excess := len(kept) + len(closing(kept)) - room) > 0:
        kept = _cut(kept, len(kept) - excess)
    return f"{kept}{closing(kept)}{note}"


def closing(text: str) -> str:
    """Return what closes the fence and the folds that a text leaves open."""
    fence = ""
    for line in text.split("\n"):
        found = FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
    folds = max(0, text.count("<details") - text.count("</details>"))
    return (f"\n{fence}" if fence else "") + folds * "\n\n</details>"


def _cut(text: str, room: int) -> str:
    # Between paragraphs, unless that would lose much: a fold may be one block of a thousand lines.
    for boundary, least in (("\n\n", room * 3 // 4), ("\n", room // 2)):
        if (end := text.rfind(boundary, least, room)) > 0:
            return text[:end].rstrip()
    return text[:room]
