"""Escape text of a person for Markdown: no markup, mentions, links or images."""

import re
from typing import Any

LONGEST = 160
MOST = 10_000
UNBROKEN = "\N{NO-BREAK SPACE}"
RUNS = re.compile(r"`+")
# Text that GitHub renders unchanged: no markup, and nothing that it turns into a link.
HARMLESS = re.compile(r"[\w .,;:?!\"“”()\[\]%±+−–/'’≥≤=→-]*")
LINKED = re.compile(
    r"www\.|://|\bGH-\d|\b(?=\d*[a-f])[0-9a-f]{7,40}\b|:[a-z]\w*:|\]\s*[(\[:]|(?:^|\W)_|_(?:\W|$)|^\s*(?:[-+=]|\d+[.)])",
    re.IGNORECASE,
)


def code(text: object, *, longest: int = LONGEST) -> str:
    """Return a text as inline code on one line, shortened; no markup in it has an effect.

    >>> code("@everyone <b>"), code("a`b"), code("")
    ('`@everyone <b>`', '``a`b``', '–')
    """
    plain = one_line(text, longest=longest)
    if not plain:
        return "–"
    fence = "`" * (max((len(run) for run in RUNS.findall(plain)), default=0) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def plain_or_code(text: object, *, longest: int = 400) -> str:
    """Return a text unchanged if it has no markup, else as code.

    >>> plain_or_code("meets the floor"), plain_or_code("see www.example.org"), plain_or_code("#12")
    ('meets the floor', '`see www.example.org`', '`#12`')
    """
    plain = one_line(text, longest=longest)
    harmless = HARMLESS.fullmatch(plain.rstrip("…")) and not LINKED.search(plain)
    return plain if harmless else code(plain, longest=longest)


def inert(document: Any) -> Any:
    """Return a JSON document whose names and texts have no markup with an effect; longer texts are not shortened.

    >>> inert({"level": ["north", "<b>"], "rows": 5})
    {'level': ['north', '`<b>`'], 'rows': 5}
    """
    if isinstance(document, dict):
        return {inert(name): inert(value) for name, value in document.items()}
    if isinstance(document, list):
        return [inert(value) for value in document]
    return plain_or_code(document, longest=MOST) if isinstance(document, str) else document


def one_line(text: object, *, longest: int = LONGEST) -> str:
    """Return a text on one line without invisible characters, shortened."""
    visible = "".join(letter if letter.isprintable() else " " for letter in str(text))
    plain = " ".join(visible.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
