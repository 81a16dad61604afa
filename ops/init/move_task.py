"""Move a task file of the old form, `tasks/NAME.yaml`, into a task folder."""

import re
import textwrap
from pathlib import Path

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import ParamsError
from lab.task.schema import QUERY, TASK, TASKS

BLOCK = re.compile(r"^  query: \|-?\n((?:    .*\n|\n)+)", re.MULTILINE)


def move_task(name: str) -> str:
    """Move `tasks/NAME.yaml` to `tasks/NAME/`, its query to a file of its own; return what was written."""
    old, folder = TASKS / f"{name}.yaml", TASKS / name
    if not old.is_file():
        raise ParamsError(f"{old} is missing, expected the old task file. Cure: correct the name after --move.")
    if folder.exists():
        raise ParamsError(f"{folder} exists already, expected no folder of that name. Cure: remove one of the two.")
    text = old.read_text(encoding="utf-8")
    query = BLOCK.search(text)
    if query:
        _write(folder / QUERY, f"{textwrap.dedent(query[1]).strip()}\n")
        text = text.replace(query[0], "\n" if query[1].endswith("\n\n") else "")
    _write(folder / TASK, text)
    old.unlink()
    return f"Moved {old} to {folder}/{TASK}{f' and {folder}/{QUERY}' if query else ''}."


def _write(path: Path, text: str) -> None:
    with replaced_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
