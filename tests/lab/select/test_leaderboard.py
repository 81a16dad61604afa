"""The leaderboard ranks by out-of-fold score, and refuses candidates that are not comparable."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from lab.core.errors import ModelError, ParamsError
from lab.core.tables import write_table
from lab.model_files.manifest import LEARNING_CURVE, OUT_OF_FOLD, SEARCH, write_manifest
from lab.select.leaderboard import rank, score_interval
from lab.select.trained import Candidate, read_candidates
from tests.lab.select.candidates import LABELS, SEARCHED, candidate, scores_of, store

METRICS = {
    "roc_auc": roc_auc_score,
    "average_precision": average_precision_score,
    "brier": brier_score_loss,
    "log_loss": log_loss,
}


@pytest.mark.parametrize("by", METRICS)
def test_the_best_comes_first_for_scores_and_losses(by: str) -> None:
    standings = rank([candidate("b", skill=0.5), candidate("a", skill=0.0), candidate("c", skill=1.0)], by=by)
    assert [(standing.place, standing.name) for standing in standings] == [(1, "c"), (2, "b"), (3, "a")]


def test_ties_are_in_the_order_of_names() -> None:
    standings = rank([candidate("b", skill=1.0), candidate("a", skill=1.0)], by="roc_auc")
    assert [standing.name for standing in standings] == ["a", "b"]


@pytest.mark.parametrize("by", METRICS)
def test_scores_are_scikit_learns_on_all_rows_and_on_each_fold(by: str) -> None:
    found, standing = scores_of(1.0), rank([candidate("a", skill=1.0)], by=by)[0]
    assert standing.score == pytest.approx(METRICS[by](LABELS, found))
    by_fold = [METRICS[by](LABELS[rows], found[rows]) for rows in np.arange(400).reshape(4, 100)]
    assert standing.by_fold == pytest.approx(by_fold)
    assert standing.folds.mean == pytest.approx(np.mean(by_fold))


def test_the_interval_of_a_loss_is_students_over_rows() -> None:
    labels, scores = LABELS.astype(bool), scores_of(1.0)
    losses = (scores - labels) ** 2
    expected = stats.t.interval(0.95, 399, loc=losses.mean(), scale=stats.sem(losses))
    assert score_interval(labels, scores, "brier") == pytest.approx(expected)


def test_the_interval_of_an_area_is_delongs() -> None:
    labels, scores = LABELS.astype(bool), scores_of(1.0)
    wins = np.subtract.outer(scores[labels], scores[~labels])
    wins = (wins > 0) + 0.5 * (wins == 0)
    error = np.sqrt(sum(np.var(wins.mean(axis=1 - axis), ddof=1) / wins.shape[axis] for axis in (0, 1)))
    expected = wins.mean() + error * stats.norm.ppf([0.025, 0.975])
    assert score_interval(labels, scores, "roc_auc") == pytest.approx(tuple(expected))


@pytest.mark.parametrize("by", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("scores", [[0.1, 0.6, 0.55, 0.9], [0.9, 0.5, 0.6, 0.1]])
def test_an_interval_stays_between_0_and_1(by: str, scores: list[float]) -> None:
    low, high = score_interval(np.array([False, False, True, True]), np.array(scores), by)
    assert low is not None
    assert high is not None
    assert 0 <= low < high <= 1
    assert low == 0 or high == 1


def test_an_area_with_one_row_of_a_class_has_no_interval() -> None:
    assert score_interval(np.array([True, False, False]), np.array([0.3, 0.2, 0.4]), "roc_auc") == (None, None)


def test_candidates_are_read_as_they_were_written(tmp_path: Path) -> None:
    store(tmp_path, candidate("a", skill=1.0, search=SEARCHED), candidate("b", skill=0.0))
    (tmp_path / ".c.partial").mkdir()  # what a killed run leaves
    found = read_candidates(tmp_path, ["b", "a"])
    assert [item.name for item in found] == ["a", "b"]
    expected = candidate("a", skill=1.0, search=SEARCHED)
    assert found[0].out_of_fold.equals(expected.out_of_fold)
    assert (found[0].search, found[0].learning) == (expected.search, expected.learning)


def test_a_folder_of_a_removed_candidate_is_refused(tmp_path: Path) -> None:
    store(tmp_path, candidate("a", skill=1.0), candidate("old", skill=0.0))
    with pytest.raises(
        ModelError, match=r"contains \['old'\], expected only .*\['a'\]\. Cure: `python -m ops resolve`"
    ):
        read_candidates(tmp_path, ["a"])


def test_a_candidate_that_was_not_trained_is_refused(tmp_path: Path) -> None:
    store(tmp_path, candidate("a", skill=1.0))
    with pytest.raises(ModelError, match=r"lacks \['new'\], .* Cure: dvc repro train"):
        read_candidates(tmp_path, ["a", "new"])


@pytest.mark.parametrize("name", [SEARCH, LEARNING_CURVE, OUT_OF_FOLD])
def test_a_candidate_with_a_missing_output_is_refused(tmp_path: Path, name: str) -> None:
    store(tmp_path, candidate("a", skill=1.0))
    (tmp_path / "a" / name).unlink()
    with pytest.raises(
        ModelError, match=rf"a lacks \['{name}'\], expected the outputs of train.* Cure: dvc repro train"
    ):
        read_candidates(tmp_path, ["a"])


def test_an_invalid_search_file_is_refused(tmp_path: Path) -> None:
    one = candidate("a", skill=1.0)
    store(tmp_path, one)
    (tmp_path / "a" / SEARCH).write_text('{"method": "none"}')
    write_manifest(one.manifest, tmp_path / "a")
    with pytest.raises(ParamsError, match=r"search\.json\.trials: Field required"):
        read_candidates(tmp_path, ["a"])


def test_candidates_scored_on_different_rows_are_refused(tmp_path: Path) -> None:
    one, other = candidate("a", skill=1.0), candidate("b", skill=0.0)
    turned = other.out_of_fold.set_column(1, "label", pa.array(1 - LABELS))
    store(tmp_path, one, Candidate("b", other.manifest, turned, other.search, other.learning))
    with pytest.raises(ModelError, match="a and b were scored on different rows or folds"):
        read_candidates(tmp_path, ["a", "b"])


def test_a_damaged_candidate_is_refused(tmp_path: Path) -> None:
    store(tmp_path, candidate("a", skill=1.0))
    write_table(candidate("a", skill=0.0).out_of_fold, tmp_path / "a" / OUT_OF_FOLD)
    with pytest.raises(ModelError, match=r"out_of_fold\.parquet has the fingerprint"):
        read_candidates(tmp_path, ["a"])
