"""Text with markup in it, and what a page makes of Markdown."""

import re
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

HOSTILE = (
    "a|b",
    "a\\|b",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "`x` ``y",
    "one\n\n# two",
    "[x](javascript:alert(1))",
    "![x](https://example.invalid/x.png)",
    "[x]: https://example.invalid",
    "https://example.invalid",
    "www.example.invalid",
    "@everyone",
    "#12",
    "*bold* _slanted_ ~~gone~~",
    "&lt;b&gt;",
    "<!-- question:end -->",
    '" onmouseover="alert(1)',
)
ALL = " ".join(HOSTILE)
OWN_HTML = {"sub", "details", "summary", "br"}
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
READER.validateLink = bool  # type: ignore[method-assign,assignment]  # other readers may be less careful


def effects_of(page: str) -> list[str]:
    """Return what a page of Markdown contains beside text: links, pictures, tags, mentions, broken tables."""
    found = []
    for token in _flat(READER.parse(page)):
        if token.type in {"link_open", "image"}:
            found.append(str(token.attrs.get("href") or token.attrs.get("src")))
        if token.type in {"html_block", "html_inline"}:
            found += [tag for tag in tags_in(token.content) if tag.split()[0] not in OWN_HTML] + _comments(
                token.content
            )
        if token.type == "text" and ("@everyone" in token.content or "#12" in token.content):
            found.append(token.content)
        if token.type == "s_open" or (token.type == "text" and "://" in token.content):
            found.append(token.content or token.type)
    return found


def broken_tables(page: str) -> list[str]:
    """Return the lines of tables whose number of cells differs from that of the head."""
    found, head = [], 0
    for line in page.splitlines():
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) if line.startswith("|") else 0
        head = head or cells if cells else 0
        if cells != head:
            found.append(line)
    return found


def tags_in(html: str) -> list[str]:
    """Return the start tags of HTML with their attributes."""
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(" ".join([tag, *(name for name, _ in attrs)]))

    Reader().feed(html)
    return tags


def _comments(html: str) -> list[str]:
    return ["comment"] if "<!--" in html else []


def _flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *_flat(token.children or []))]


def with_hostile(document: Any, name: str, text: str) -> Any:
    """Return a JSON document with a text in place of a name, wherever it stands."""
    if isinstance(document, dict):
        return {with_hostile(key, name, text): with_hostile(value, name, text) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [with_hostile(value, name, text) for value in document]
    return text if document == name else document
