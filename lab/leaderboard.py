"""Rank the candidates by their scores of rows that they were not fitted on, which are the same rows for all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from lab.errors import ModelError
from lab.manifest import CURE, OUT_OF_FOLD, Manifest, read_manifest
from lab.stats.classification import LOWER_IS_BETTER, Tally, areas, losses, tally
from lab.stats.resampled_folds import FoldMean, corrected_mean
from lab.tables import read_table

COLUMNS = ("label", "fold", "score")


@dataclass(frozen=True)
class Candidate:
    """One trained candidate, as its folder holds it."""

    name: str
    manifest: Manifest
    out_of_fold: pa.Table


@dataclass(frozen=True)
class Standing:
    """A candidate's place: its score on all out-of-fold rows, and the mean of its folds with a corrected interval."""

    place: int
    name: str
    estimator: str
    score: float
    folds: FoldMean


def read_candidates(folder: Path, names: Iterable[str]) -> list[Candidate]:
    """Return the candidates by name; refuse a folder that lacks one, or holds one that is named no more."""
    wanted = sorted(names)
    found = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    if strange := sorted(set(found) - set(wanted)):
        raise ModelError(
            f"{folder} holds {strange}, expected only the candidates of params.yaml: {wanted}. "
            "Cure: `dvc checkout` removes what params.yaml names no more."
        )
    if lacking := sorted(set(wanted) - set(found)):
        raise ModelError(f"{folder} lacks {lacking}, expected every candidate of params.yaml. Cure: dvc repro train")
    candidates = [_read(folder / name) for name in wanted]
    _check_same_rows(candidates)
    return candidates


def rank(candidates: Iterable[Candidate], *, by: str) -> list[Standing]:
    """Return the candidates, the best first; equal ones in the order of their names."""
    sign = 1 if by in LOWER_IS_BETTER else -1
    scored = [(candidate, _metric(candidate.out_of_fold, by)) for candidate in candidates]
    scored.sort(key=lambda item: (sign * item[1], item[0].name))
    return [
        Standing(place, candidate.name, candidate.manifest.specification.estimator, score, _folds(candidate, by))
        for place, (candidate, score) in enumerate(scored, start=1)
    ]


def leaderboard_of(standings: Iterable[Standing]) -> list[dict[str, object]]:
    """Return the leaderboard as a table, the best first."""
    return [
        {
            "place": standing.place,
            "candidate": standing.name,
            "estimator": standing.estimator,
            "score": standing.score,
            "fold_mean": standing.folds.mean,
            "fold_mean_low": standing.folds.low,
            "fold_mean_high": standing.folds.high,
        }
        for standing in standings
    ]


def summary_of(standings: Sequence[Standing], *, by: str) -> dict[str, object]:
    """Return what the metrics file says: who is the challenger, and every candidate's score."""
    best = standings[0]
    return {
        "by": by,
        "challenger": best.name,
        "estimator": best.estimator,
        "score": best.score,
        "fold_mean": best.folds.mean,
        "fold_mean_low": best.folds.low,
        "fold_mean_high": best.folds.high,
        "scores": {standing.name: standing.score for standing in standings},
    }


def _read(folder: Path) -> Candidate:
    manifest = read_manifest(folder)
    table = read_table(folder / OUT_OF_FOLD)
    if lacking := [name for name in COLUMNS if name not in table.column_names]:
        raise ModelError(f"{folder / OUT_OF_FOLD} lacks {lacking}; it has {table.column_names}. {CURE}")
    return Candidate(folder.name, manifest, table)


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


def _metric(table: pa.Table, name: str) -> float:
    # A score has 6 decimals and so is the tally of it; a metric is cut there too, or the last bits of a sum would rank.
    return round(float(_metrics(tally(table["label"].to_numpy(), table["score"].to_numpy()))[name]), 9)


def _metrics(counted: Tally) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    return {**areas(counted), **losses(counted)}


def _folds(candidate: Candidate, by: str) -> FoldMean:
    table, sizes = candidate.out_of_fold, candidate.manifest.folds
    places = table["fold"].to_numpy()
    return corrected_mean(
        [_metric(table.filter(places == number), by) for number in range(1, len(sizes) + 1)],
        train_rows=[size.train for size in sizes],
        validation_rows=[size.validation for size in sizes],
    )
