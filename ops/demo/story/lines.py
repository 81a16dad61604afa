"""Shorten what a command printed to what a listener wants to read."""

from collections.abc import Iterator


def first_lines(text: str, *, most: int) -> Iterator[str]:
    r"""Yield the first lines of a text that are not empty, set in; a last one says that more follow.

    >>> list(first_lines("one\n\ntwo\nthree", most=2))
    ['    one', '    two', '    …']
    """
    lines = [line for line in text.splitlines() if line.strip()]
    for line in [*lines[:most], *(["…"] if len(lines) > most else [])]:
        yield f"    {line}"
