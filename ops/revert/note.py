"""The note of a revert in progress."""

from dataclasses import dataclass
from pathlib import Path

NOTE = Path(".dvc/tmp/revert.json")


@dataclass(frozen=True)
class Note:
    """The target of a revert, its start, and git's name for the way back."""

    target: str
    start: str
    back: str
