"""Read one section of the chosen task, as the stage `task` wrote it."""

from pathlib import Path
from typing import TypeVar

from lab.core.params import Params
from lab.core.stage_files import read_handed

FOLDER = Path("data/task")

Section = TypeVar("Section", bound=Params)


def section_path(name: str) -> Path:
    """Return the file that holds one section of the chosen task."""
    return FOLDER / f"{name}.json"


def load_section(name: str, kind: type[Section]) -> Section:
    """Return one section of the chosen task, checked; kind is the class with the one field `name`."""
    return read_handed(section_path(name), kind=kind, stage="task")
