"""Read a JSON output of an earlier stage into a strict class."""

from pathlib import Path
from typing import TypeVar

from lab.core.errors import SourceError
from lab.core.params import Params, parse_json

SECTIONS = Path("data/task")  # the sections of the selected task, which stage task writes

StageFile = TypeVar("StageFile", bound=Params)


def read_stage_file(path: Path, *, kind: type[StageFile], stage: str) -> StageFile:
    """Return the validated JSON output of an earlier stage; error messages name that stage."""
    cure = f"Cure: dvc repro {stage}"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SourceError(f"{path} is missing, expected an output of stage {stage}. {cure}") from None
    return parse_json(text, kind=kind, where=str(path), cure=cure)


def section_path(name: str) -> Path:
    return SECTIONS / f"{name}.json"


def load_section(name: str, kind: type[StageFile]) -> StageFile:
    """Return one validated section of the selected task; `kind` is a class with the single field `name`."""
    return read_stage_file(section_path(name), kind=kind, stage="task")
