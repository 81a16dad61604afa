"""The leaderboard: the best on rows that no model was fitted on, and nothing compared that cannot be."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from lab.errors import ModelError
from lab.leaderboard import Candidate, leaderboard_of, rank, read_candidates, summary_of
from lab.manifest import OUT_OF_FOLD, PIPELINE, FoldSize, Manifest, TrainingRows, write_manifest
from lab.specification import Specification
from lab.tables import write_table
from tests.tables import schema_of

RNG = np.random.default_rng(6)
LABELS = (RNG.random(200) < 0.4).astype(np.int8)
NOISE = RNG.normal(size=200)


def scores(skill: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(1 / (1 + np.exp(-(skill * (LABELS - 0.4) + NOISE)))).round(6)


def candidate(name: str, *, skill: float) -> Candidate:
    folds = pa.array(np.repeat([1, 2], 100).astype(np.int8))
    table = pa.table({"customer_id": np.arange(200), "label": LABELS, "fold": folds, "score": scores(skill)})
    manifest = Manifest(
        specification=Specification(estimator="dummy"),
        inputs=schema_of("stratified"),
        threshold=0.5,
        threshold_rule="fixed",
        training=TrainingRows(rows=200, positives=80, first_moment=None, last_moment=None, fingerprint="?"),
        folds=(FoldSize(train=100, validation=100),) * 2,
    )
    return Candidate(name, manifest, table)


def store(folder: Path, *candidates: Candidate) -> None:
    for item in candidates:
        (folder / item.name).mkdir(parents=True)
        write_table(item.out_of_fold, folder / item.name / OUT_OF_FOLD)
        (folder / item.name / PIPELINE).write_bytes(b"?")
        write_manifest(item.manifest, folder / item.name)


@pytest.mark.parametrize("by", ["roc_auc", "average_precision", "brier", "log_loss"])
def test_the_best_comes_first_whether_more_or_less_is_better(by: str) -> None:
    standings = rank([candidate("b", skill=0.5), candidate("a", skill=0.0), candidate("c", skill=1.0)], by=by)
    assert [(standing.place, standing.name) for standing in standings] == [(1, "c"), (2, "b"), (3, "a")]


def test_equal_candidates_stand_in_the_order_of_their_names() -> None:
    standings = rank([candidate("b", skill=1.0), candidate("a", skill=1.0)], by="roc_auc")
    assert [standing.name for standing in standings] == ["a", "b"]


def test_scores_are_scikit_learns_on_all_rows_and_fold_means_on_each() -> None:
    found = scores(1.0)
    for by, metric in (("roc_auc", roc_auc_score), ("log_loss", log_loss)):
        standing = rank([candidate("a", skill=1.0)], by=by)[0]
        assert standing.score == pytest.approx(metric(LABELS, found))
        by_fold = [metric(LABELS[rows], found[rows]) for rows in (slice(0, 100), slice(100, 200))]
        assert standing.folds.mean == pytest.approx(np.mean(by_fold))


def test_candidates_are_read_as_they_were_written(tmp_path: Path) -> None:
    store(tmp_path, candidate("a", skill=1.0), candidate("b", skill=0.0))
    (tmp_path / ".c.partial").mkdir()  # what a killed run leaves
    found = read_candidates(tmp_path, ["b", "a"])
    assert [item.name for item in found] == ["a", "b"]
    assert found[0].out_of_fold.equals(candidate("a", skill=1.0).out_of_fold)


def test_a_folder_that_is_no_candidate_any_more_is_refused(tmp_path: Path) -> None:
    store(tmp_path, candidate("a", skill=1.0), candidate("old", skill=0.0))
    with pytest.raises(ModelError, match=r"holds \['old'\], expected only .*\['a'\]\. Cure: `dvc checkout`"):
        read_candidates(tmp_path, ["a"])


def test_a_candidate_that_was_not_trained_is_refused(tmp_path: Path) -> None:
    store(tmp_path, candidate("a", skill=1.0))
    with pytest.raises(ModelError, match=r"lacks \['new'\], .* Cure: dvc repro train"):
        read_candidates(tmp_path, ["a", "new"])


def test_candidates_scored_on_different_rows_are_refused(tmp_path: Path) -> None:
    other = candidate("b", skill=0.0)
    turned = other.out_of_fold.set_column(1, "label", pa.array(1 - LABELS))
    store(tmp_path, candidate("a", skill=1.0), Candidate("b", other.manifest, turned))
    with pytest.raises(ModelError, match="a and b were scored on different rows or folds"):
        read_candidates(tmp_path, ["a", "b"])


def test_a_damaged_candidate_is_refused(tmp_path: Path) -> None:
    store(tmp_path, candidate("a", skill=1.0))
    write_table(candidate("a", skill=0.0).out_of_fold, tmp_path / "a" / OUT_OF_FOLD)
    with pytest.raises(ModelError, match=r"out_of_fold\.parquet has the fingerprint"):
        read_candidates(tmp_path, ["a"])


def test_the_table_and_the_summary_name_the_challenger() -> None:
    standings = rank([candidate("b", skill=0.5), candidate("a", skill=0.0)], by="roc_auc")
    assert [row["candidate"] for row in leaderboard_of(standings)] == ["b", "a"]
    assert summary_of(standings, by="roc_auc")["challenger"] == "b"
