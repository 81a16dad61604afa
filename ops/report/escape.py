"""Write what comes from a repository so that on a page it is text: no markup, no mention, no link, no picture."""

import re

LONGEST = 160
UNBROKEN = "\N{NO-BREAK SPACE}"
RUNS = re.compile(r"`+")
# Words that GitHub leaves as they are: no markup, no name, number or commit that it would turn into a link.
HARMLESS = re.compile(r"[\w .,;:()%±+−–/'’≥≤=-]*")
LINKED = re.compile(
    r"www\.|://|\bGH-\d|\b[0-9a-f]{7,40}\b|:\w+:|(?:^|\W)_|_(?:\W|$)|^\s*(?:[-+=]|\d+[.)])", re.IGNORECASE
)


def code(text: object, *, longest: int = LONGEST) -> str:
    """Return a text as code, in one line, cut where it is long; nothing in it is obeyed.

    >>> code("@everyone <b>"), code("a`b"), code("")
    ('`@everyone <b>`', '``a`b``', '–')
    """
    plain = one_line(text, longest=longest)
    if not plain:
        return "–"
    fence = "`" * (max((len(run) for run in RUNS.findall(plain)), default=0) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def said(text: object, *, longest: int = 400) -> str:
    """Return a text as words of a sentence where nothing in it could be taken for more, and as code otherwise.

    >>> said("meets the floor"), said("see www.example.org"), said("#12")
    ('meets the floor', '`see www.example.org`', '`#12`')
    """
    plain = one_line(text, longest=longest)
    harmless = HARMLESS.fullmatch(plain.rstrip("…")) and not LINKED.search(plain)
    return plain if harmless else code(plain, longest=longest)


def one_line(text: object, *, longest: int = LONGEST) -> str:
    """Return a text without line breaks and without what cannot be seen, cut where it is long."""
    visible = "".join(letter if letter.isprintable() else " " for letter in str(text))
    plain = " ".join(visible.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
