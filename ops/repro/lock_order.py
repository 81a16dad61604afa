"""Sort the stages of a dvc.lock as a plain run writes them."""

import re
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from lab.core.atomic_outputs import replaced_file

HEADING = re.compile(r"^stages:\n", flags=re.MULTILINE)
NAME = re.compile(r"^  (?=\S)(.+):\n", flags=re.MULTILINE)


def stage_names(text: str) -> list[str]:
    """Return the stages of a dvc.lock in its order."""
    return list(blocks_of(text))


def blocks_of(text: str) -> dict[str, str]:
    """Return the lines of each stage's entry of a dvc.lock, in its order."""
    return _blocks(text)[1]


def reordered(text: str, order: Sequence[str]) -> str:
    r"""Return a dvc.lock with these stages first, in this order; the others keep theirs, behind them.

    Whole blocks of lines are moved, so that every line stays as DVC wrote it.

    >>> reordered("schema: '2.0'\nstages:\n  b:\n    cmd: x\n  a:\n    cmd: y\n", ["a", "b"])
    "schema: '2.0'\nstages:\n  a:\n    cmd: y\n  b:\n    cmd: x\n"
    """
    head, blocks, tail = _blocks(text)
    names = [*(name for name in order if name in blocks), *(name for name in blocks if name not in set(order))]
    return head + "".join(blocks[name] for name in names) + tail


def with_entry(text: str, name: str, block: str) -> str:
    r"""Return a dvc.lock in which a stage has this block; a new stage is the last.

    >>> with_entry("schema: '2.0'\nstages:\n  a:\n    cmd: x\n", "a", "  a:\n    cmd: y\n")
    "schema: '2.0'\nstages:\n  a:\n    cmd: y\n"
    """
    head, blocks, tail = _blocks(text)
    return head + "".join({**blocks, name: block}.values()) + tail


def restore_order(path: Path, *, before: Sequence[str], plan: Sequence[str]) -> None:
    """Rewrite a dvc.lock whose stages stand in another order than the old ones followed by the plan's new ones."""
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    wanted = reordered(text, [*before, *(name for name in plan if name not in set(before))])
    if wanted != text:
        with replaced_file(path) as partial:
            partial.write_text(wanted, encoding="utf-8")


def _blocks(text: str) -> tuple[str, dict[str, str], str]:
    heading = HEADING.search(text)
    if heading is None:
        return text, {}, ""
    end = re.search(r"^\S", text[heading.end() :], flags=re.MULTILINE)
    last = heading.end() + end.start() if end else len(text)
    body = text[heading.end() : last]
    starts = [(_unquoted(match.group(1)), match.start()) for match in NAME.finditer(body)]
    ends = [start for _, start in starts[1:]] + [len(body)]
    blocks = {name: body[start:end] for (name, start), end in zip(starts, ends, strict=True)}
    return text[: heading.end()], blocks, text[last:]


def _unquoted(name: str) -> str:
    return str(YAML(typ="safe").load(name)) if name[0] in "'\"?" else name
