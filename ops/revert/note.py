"""A note of a revert in progress, so that a killed one is finished."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.core.atomic_outputs import replaced_file

PLACE = Path(".dvc/tmp/revert.json")


@dataclass(frozen=True)
class Note:
    """The target of a revert, its start, and git's name for the way back."""

    target: str
    start: str
    back: str


def read_note(root: Path) -> Note | None:
    """Return the note of a revert that did not finish, or None."""
    try:
        return Note(**json.loads((root / PLACE).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_note(note: Note, root: Path) -> None:
    """Write the note, atomically."""
    with replaced_file(root / PLACE) as partial:
        partial.write_text(json.dumps(asdict(note)), encoding="utf-8")


def remove_note(root: Path) -> None:
    """Remove the note of a finished revert."""
    (root / PLACE).unlink(missing_ok=True)
