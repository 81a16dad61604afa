"""Plot points of stage select: one CSV file for each plot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.core.result_files import rounded, write_csv, write_text
from lab.select.leaderboard import Standing
from lab.select.pairs import PairTest
from lab.select.trained import Candidate, Trial

Row = Mapping[str, Any]

COLUMNS = {
    "leaderboard": (
        *("place", "candidate", "estimator", "score", "low", "high"),
        *("fold_mean", "fold_mean_low", "fold_mean_high", "fold_scores", "by"),
    ),
    "pairs": (
        *("first", "second", "kind", "test", "metric", "first_value", "second_value", "lead", "low", "high"),
        *("p_value", "p_adjusted", "detectable", "verdict", "reason", "first_place", "second_place"),
    ),
    "importance": ("candidate", "setting", "share"),
    "learning_curve": ("candidate", "share", "rows", "train_score", "score", "low", "high", "by"),
}


def points_of(standings: Sequence[Standing], tests: Sequence[PairTest], *, by: str) -> dict[str, list[Row]]:
    """Return the rows of every plot and picture by name, rounded, in the order of the leaderboard."""
    candidates = [standing.candidate for standing in standings]
    points = {
        "leaderboard": [_standing_row(standing, by) for standing in standings],
        "pairs": [_pair_row(test, {standing.name: standing.place for standing in standings}) for test in tests],
        "search": [row for standing in standings for row in _search_rows(standing, by)],
        "importance": [row for candidate in candidates for row in _importance_rows(candidate)],
        "learning_curve": [row for candidate in candidates for row in _learning_rows(candidate)],
    }
    return {name: rounded(rows) for name, rows in points.items()}


def write_points(points: Mapping[str, Sequence[Row]], folder: Path) -> None:
    """Write the rows of every plot of DVC as CSV; a plot without rows has only the header."""
    for name, columns in COLUMNS.items():
        path = folder / f"{name}.csv"
        if points[name]:
            write_csv(points[name], path)
        else:
            write_text(",".join(columns), path)


def settings_in_words(settings: Mapping[str, Any]) -> str:
    """Return settings as one line, sorted by name.

    >>> settings_in_words({"trees": 200, "learning_rate": 0.060000001})
    'learning rate 0.06, trees 200'
    """
    return ", ".join(f"{name.replace('_', ' ')} {rounded(value)}" for name, value in sorted(settings.items()))


def _standing_row(standing: Standing, by: str) -> Row:
    return {
        "place": standing.place,
        "candidate": standing.name,
        "estimator": standing.estimator,
        "score": standing.score,
        "low": standing.low,
        "high": standing.high,
        "fold_mean": standing.folds.mean,
        "fold_mean_low": standing.folds.low,
        "fold_mean_high": standing.folds.high,
        "fold_scores": " ".join(str(rounded(score)) for score in standing.by_fold),
        "by": by,
    }


def _pair_row(test: PairTest, places: Mapping[str, int]) -> Row:
    known = {**asdict(test), "first_value": test.values[0], "second_value": test.values[1]}
    known |= {"first_place": places[test.first], "second_place": places[test.second]}
    return {name: known[name] for name in COLUMNS["pairs"]}


def _search_rows(standing: Standing, by: str) -> Iterable[Row]:
    """Yield one row for each trial; a candidate without search has one, its own settings on all folds."""
    candidate, search, folds = standing.candidate, standing.candidate.search, len(standing.by_fold)
    given = Trial(number=1, settings={}, score=standing.folds.mean, folds=folds, best=standing.folds.mean)
    for trial in search.trials or [given]:
        yield {
            "candidate": candidate.name,
            "trial": trial.number,
            "score": trial.score,
            "best": trial.best,
            "folds": trial.folds,
            "complete": "yes" if trial.folds == folds and trial.score is not None else "no",
            "method": search.method,
            "by": search.by if search.trials else by,
            "settings": settings_in_words(trial.settings) or "as given",
        }


def _importance_rows(candidate: Candidate) -> Iterable[Row]:
    shares = candidate.search.importance
    for setting in sorted(shares, key=lambda name: (-shares[name], name)):
        yield {"candidate": candidate.name, "setting": setting, "share": shares[setting]}


def _learning_rows(candidate: Candidate) -> Iterable[Row]:
    for point in candidate.learning:
        yield {"candidate": candidate.name, **point.model_dump(), "by": candidate.search.by}
