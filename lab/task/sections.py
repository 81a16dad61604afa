"""Read one section of the chosen task, as the stage `task` wrote it."""

from pathlib import Path
from typing import TypeVar

from lab.errors import ParamsError
from lab.params import Params, parse_json

FOLDER = Path("data/task")

Section = TypeVar("Section", bound=Params)


def section_path(name: str) -> Path:
    """Return the file that holds one section of the chosen task."""
    return FOLDER / f"{name}.json"


def load_section(name: str, kind: type[Section]) -> Section:
    """Return one section of the chosen task, checked; kind is the class with the one field `name`."""
    path = section_path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing, expected what the stage task writes. Cure: dvc repro task") from None
    return parse_json(text, kind=kind, where=str(path), cure="Cure: dvc repro task")
