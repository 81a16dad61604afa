"""Read one section of the selected task from the output of stage task."""

from pathlib import Path
from typing import TypeVar

from lab.core.params import Params
from lab.core.stage_files import read_stage_file

FOLDER = Path("data/task")

Section = TypeVar("Section", bound=Params)


def section_path(name: str) -> Path:
    return FOLDER / f"{name}.json"


def load_section(name: str, kind: type[Section]) -> Section:
    """Return one validated section of the selected task; `kind` is a class with the single field `name`."""
    return read_stage_file(section_path(name), kind=kind, stage="task")
