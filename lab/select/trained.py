"""Read the outputs of train for each candidate: manifest, out-of-fold scores, search, learning curve."""

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


class Record(BaseModel):
    """A record of which only the fields named here are read; others are ignored."""

    model_config = ConfigDict(strict=True, frozen=True)


class Trial(Record):
    """One trial of a search: its score is the mean over its folds, None where fitting failed."""

    number: int
    settings: dict[str, Any]
    score: float | None
    folds: int
    best: float | None


class Search(Record):
    """How the settings of a candidate were found; without search there is no trial."""

    method: str
    by: str
    budget: int
    fits: int
    reason: str
    trials: tuple[Trial, ...] = Field(strict=False)
    importance: dict[str, float]
    importance_reason: str = ""


class LearningPoint(Record):
    """The training and validation score of fits on a share of the rows."""

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
    """One trained candidate, as stored in its folder."""

    name: str
    manifest: Manifest
    out_of_fold: pa.Table
    search: Search
    learning: tuple[LearningPoint, ...]


def read_candidates(folder: Path, names: Iterable[str]) -> list[Candidate]:
    """Return the candidates by name; the folder must contain exactly these."""
    expected = sorted(names)
    found = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    if extra := sorted(set(found) - set(expected)):
        raise ModelError(
            f"{folder} contains {extra}, expected only the candidates of params.yaml: {expected}. "
            "Cure: `python -m ops resolve` removes candidates that params.yaml no longer names."
        )
    if lacking := sorted(set(expected) - set(found)):
        raise ModelError(f"{folder} lacks {lacking}, expected every candidate of params.yaml. Cure: dvc repro train")
    candidates = [_read(folder / name) for name in expected]
    _check_same_rows(candidates)
    return candidates


def _read(folder: Path) -> Candidate:
    manifest = read_manifest(folder)
    if lacking := [name for name in (OUT_OF_FOLD, SEARCH, LEARNING_CURVE) if not (folder / name).exists()]:
        raise ModelError(f"{folder} lacks {lacking}, expected the outputs of train. Cure: dvc repro train")
    scored = read_table(folder / OUT_OF_FOLD)
    if absent := [name for name in COLUMNS if name not in scored.column_names]:
        raise ModelError(f"{folder / OUT_OF_FOLD} lacks {absent}; it has {scored.column_names}. {CURE}")
    search, learning = _parsed(folder / SEARCH, Search), _parsed(folder / LEARNING_CURVE, LearningCurve)
    return Candidate(folder.name, manifest, scored, search, tuple(learning.root))


def _parsed(path: Path, kind: type[SomeParams]) -> SomeParams:
    return parse_json(path.read_text(encoding="utf-8"), kind=kind, where=str(path), cure=CURE)


def _check_same_rows(candidates: list[Candidate]) -> None:
    """Refuse candidates that were scored on different rows: their scores are not comparable."""
    first, *others = candidates
    keys = [name for name in first.out_of_fold.column_names if name != "score"]
    for other in others:
        if not other.out_of_fold.drop_columns(["score"]).equals(first.out_of_fold.select(keys)):
            raise ModelError(
                f"the candidates {first.name} and {other.name} were scored on different rows or folds, expected the "
                "same for all. Cure: dvc repro train"
            )
