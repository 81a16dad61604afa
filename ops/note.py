"""Read and write the note of a change in progress."""

from pathlib import Path
from typing import TypeVar

from lab.core.result_files import read_json

Note = TypeVar("Note")


def read_note(path: Path, kind: type[Note]) -> Note | None:
    """Return the note of a change that did not end, or None; `write_json` writes it, and its end removes it."""
    try:
        return kind(**read_json(path))
    except (FileNotFoundError, ValueError, TypeError):
        return None
