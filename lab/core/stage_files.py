"""Read what an earlier stage wrote, as a strict class."""

from pathlib import Path
from typing import TypeVar

from lab.core.errors import SourceError
from lab.core.params import Params, parse_json

Handed = TypeVar("Handed", bound=Params)


def read_handed(path: Path, *, kind: type[Handed], stage: str) -> Handed:
    """Return the JSON file of an earlier stage, checked; the message names the stage that writes it."""
    cure = f"Cure: dvc repro {stage}"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SourceError(f"{path} is missing, expected what the stage {stage} writes. {cure}") from None
    return parse_json(text, kind=kind, where=str(path), cure=cure)
