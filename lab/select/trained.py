"""Read what train left of each candidate: its manifest, its out-of-fold scores, its search and its learning curve."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, RootModel

from lab.core.errors import ModelError
from lab.core.params import SomeParams, parse_json
from lab.core.tables import read_table
from lab.model_files.manifest import CURE, LEARNING_CURVE, OUT_OF_FOLD, SEARCH, Manifest, read_manifest

COLUMNS = ("label", "fold", "score")


class Kept(BaseModel):
    """A record of which only the fields named here are read."""

    model_config = ConfigDict(strict=True, frozen=True)


class Trial(Kept):
    """One point that a search tried: its score is the mean over its folds, None where it could not be fitted."""

    number: int
    settings: dict[str, Any]
    score: float | None
    folds: int
    best: float | None


class Search(Kept):
    """How a candidate's settings were found; one by the method `none` has no trials, or the candidate's own alone."""

    method: str
    by: str
    budget: int
    fits: int
    reason: str
    trials: tuple[Trial, ...] = Field(strict=False)
    importance: dict[str, float]
    importance_reason: str = ""


class LearningPoint(Kept):
    """The score of fits on a share of the rows: on the rows fitted on, and on others with an interval."""

    share: float
    rows: float
    train_score: float | None
    score: float | None
    low: float | None
    high: float | None


class LearningCurve(RootModel[list[LearningPoint]]):
    """The points of a learning curve, the fewest rows first."""

    model_config = ConfigDict(strict=True, frozen=True)


@dataclass(frozen=True)
class Candidate:
    """One trained candidate, as its folder holds it."""

    name: str
    manifest: Manifest
    out_of_fold: pa.Table
    search: Search
    learning: tuple[LearningPoint, ...]


def read_candidates(folder: Path, names: Iterable[str]) -> list[Candidate]:
    """Return the candidates by name; refuse a folder that lacks one, or holds one that is named no more."""
    wanted = sorted(names)
    found = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    if strange := sorted(set(found) - set(wanted)):
        raise ModelError(
            f"{folder} holds {strange}, expected only the candidates of params.yaml: {wanted}. "
            "Cure: `python -m ops resolve` takes away what params.yaml names no more."
        )
    if lacking := sorted(set(wanted) - set(found)):
        raise ModelError(f"{folder} lacks {lacking}, expected every candidate of params.yaml. Cure: dvc repro train")
    candidates = [_read(folder / name) for name in wanted]
    _check_same_rows(candidates)
    return candidates


def _read(folder: Path) -> Candidate:
    manifest = read_manifest(folder)
    if lacking := [name for name in (OUT_OF_FOLD, SEARCH, LEARNING_CURVE) if not (folder / name).exists()]:
        raise ModelError(f"{folder} lacks {lacking}, expected what train leaves of a candidate. Cure: dvc repro train")
    scored = read_table(folder / OUT_OF_FOLD)
    if absent := [name for name in COLUMNS if name not in scored.column_names]:
        raise ModelError(f"{folder / OUT_OF_FOLD} lacks {absent}; it has {scored.column_names}. {CURE}")
    search, learning = _parsed(folder / SEARCH, Search), _parsed(folder / LEARNING_CURVE, LearningCurve)
    return Candidate(folder.name, manifest, scored, search, tuple(learning.root))


def _parsed(path: Path, kind: type[SomeParams]) -> SomeParams:
    return parse_json(path.read_text(encoding="utf-8"), kind=kind, where=str(path), cure=CURE)


def _check_same_rows(candidates: list[Candidate]) -> None:
    """Refuse candidates that were scored on different rows, for their scores could not be compared."""
    first, *others = candidates
    keys = [name for name in first.out_of_fold.column_names if name != "score"]
    for other in others:
        if not other.out_of_fold.drop_columns(["score"]).equals(first.out_of_fold.select(keys)):
            raise ModelError(
                f"the candidates {first.name} and {other.name} were scored on different rows or folds, expected the "
                "same for all. Cure: dvc repro train"
            )
