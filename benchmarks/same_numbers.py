"""Show that only sentences of results changed: `python -m benchmarks.same_numbers BASE HEAD`.

Numbers and keys in JSON, cells in CSV, and numbers in pages must be equal; text may differ. Exit 1 where one moved.
"""

import csv
import html
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ops.revisions.git import content_at, lines_of

RESULTS = ("metrics", "plots", "reports")
NUMBER = re.compile(r"[+\-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?")
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def main(base: str, head: str) -> int:
    """Print every file whose numbers differ; return the exit code."""
    old, new = files_at(base), files_at(head)
    moved = [f"{name}: only in {base if name in old else head}" for name in sorted(old.keys() ^ new.keys())]
    texts = 0
    for name in sorted(old.keys() & new.keys()):
        if old[name] == new[name]:
            continue
        texts += 1
        before, after = (Counter(numbers_of(name, content)) for content in (old[name], new[name]))
        if before != after:
            moved.append(f"{name}: gone {dict(before - after)}, new {dict(after - before)}")
    sys.stdout.write("".join(f"{line}\n" for line in moved))
    sys.stdout.write(f"{len(old)} files, {texts} with other text, {len(moved)} with other numbers\n")
    return 1 if moved else 0


def files_at(revision: str) -> dict[str, str]:
    """Return the text of every result at a revision by its path."""
    root = Path()
    names = lines_of("ls-tree", "-r", "-z", "--name-only", revision, "--", *RESULTS, root=root)
    return {name: (content_at(revision, name, root=root) or b"").decode("utf-8", "replace") for name in names}


def numbers_of(name: str, content: str) -> list[str]:
    """Return what must not move: keys and values of JSON, numeric cells of CSV, numbers in pages."""
    if name.endswith(".json"):
        return list(leaves(json.loads(content)))
    if name.endswith(".csv"):
        return [cell for row in csv.reader(io.StringIO(content)) for cell in row if is_number(cell)]
    return NUMBER.findall(html.unescape(STYLE.sub("", content)))


def leaves(value: Any, where: str = "") -> Iterator[str]:
    """Yield each leaf of a JSON document with its place; a text counts by the numbers in it.

    >>> list(leaves({"a": [1, "2 of 3"]}))
    ['.a.0=1', '.a.1: 2 3']
    """
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, f"{where}.{key}")
    elif isinstance(value, str):
        yield f"{where}: {' '.join(NUMBER.findall(value))}"
    else:
        yield f"{where}={value}"


def is_number(cell: str) -> bool:
    """Say whether a cell is a number.

    >>> is_number("-1.5e3"), is_number("forest"), is_number("")
    (True, False, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
