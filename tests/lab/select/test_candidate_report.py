"""The report on candidates: valid tables, deterministic pictures, plots with headers."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.core.result_files import read_result
from lab.pages.pictures import draw_candidates
from lab.select.candidate_points import COLUMNS, points_of, write_points
from lab.select.candidate_report import report_of, summary_of
from lab.select.leaderboard import Standing, rank
from lab.select.pairs import Question, compare_all, compare_pairs
from lab.select.trained import Candidate
from tests.lab.select.candidates import SEARCHED, candidate, store
from tests.project import ROOT, change_params

QUESTION = Question(by="roc_auc", significance=0.05, margin=0.01)


def three() -> list[Candidate]:
    return [
        candidate("plain", skill=1.0, noise=0.5, seed=1),
        candidate("strong", skill=3.0, noise=0.5, seed=2, search=SEARCHED, threshold=0.4),
        candidate("weak|er", skill=0.2, noise=0.5, seed=3),
    ]


def page(standings: Sequence[Standing], pictures: Sequence[str] = ()) -> str:
    tests = compare_pairs(standings, QUESTION)
    return report_of(standings, tests, compare_all(standings), QUESTION, pictures=pictures)


def points(standings: Sequence[Standing]) -> dict[str, list[Mapping[str, Any]]]:
    return points_of(standings, compare_pairs(standings, QUESTION), by="roc_auc")


def tables_in(text: str) -> list[list[list[str]]]:
    """Return the tables of a page as lists of rows of cells."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    return [[line.replace("\\|", "¦").strip("| ").split(" | ") for line in block] for block in blocks]


def test_the_first_line_names_the_leader_and_the_significance_of_its_lead() -> None:
    lines = page(rank(three(), by="roc_auc")).splitlines()
    assert lines[0] == "# Candidates"
    assert lines[2].startswith("**strong ranks first, significantly better than plain: ")


def test_every_table_has_as_many_cells_in_every_line() -> None:
    tables = tables_in(page(rank(three(), by="roc_auc")))
    assert len(tables) == 4
    for table in tables:
        assert len({len(line) for line in table}) == 1, table


def test_the_page_describes_each_candidate_and_its_search() -> None:
    board, *_, searched = tables_in(page(rank(three(), by="roc_auc")))
    place, name, estimator, *_, threshold, chosen, calibration, weights, fits = board[2]
    assert (place, name, estimator) == ("1", "strong", "dummy")
    assert (threshold, chosen, calibration, weights, fits) == ("0.400", "fixed", "none", "none", "9")
    assert searched[2] == [
        "strong",
        "halving",
        "halving: 1 setting on 1 fold, 2 on 4",
        "9 of 20",
        "trees 40",
        "trees 75 %, depth 25 %",
    ]
    assert searched[3][1:] == ["none", "no search: the settings are as given", "–", "as given", "–"]


def test_settings_of_unknown_importance_have_the_reason_instead() -> None:
    unknown = {**SEARCHED, "importance": {}, "importance_reason": "too few trials on all folds"}
    text = page(rank([candidate("only", skill=1.0, search=unknown)], by="roc_auc"))
    assert "| trees 40 | too few trials on all folds |" in text


def test_only_pictures_that_were_drawn_are_linked() -> None:
    standings = rank(three(), by="roc_auc")
    text = page(standings, pictures=["leaderboard.svg"])
    assert "](leaderboard.svg)" in text
    assert "search.svg" not in text


def test_the_matrix_is_antisymmetric() -> None:
    matrix = next(
        table for table in tables_in(page(rank(three(), by="roc_auc"))) if table[0][0] == "row against column"
    )
    turned = str.maketrans("▲▼", "▼▲")
    body = [line[1:] for line in matrix[2:]]
    assert any("▲" in cell for line in body for cell in line)
    for place, line in enumerate(body):
        assert [cell.translate(turned) for cell in line] == [other[place] for other in body]


def test_a_single_candidate_has_a_page_and_plots_with_headings() -> None:
    standings = rank([candidate("only", skill=1.0)], by="roc_auc")
    assert "**only is the only candidate.**" in page(standings)
    assert points(standings)["pairs"] == []


def test_metrics_are_few_and_describe_the_leading_pair() -> None:
    standings = rank(three(), by="roc_auc")
    found = summary_of(standings, compare_pairs(standings, QUESTION), compare_all(standings), QUESTION)
    scalars = {name for name, value in found.items() if not isinstance(value, list | dict)}
    assert scalars == {"by", "challenger", "estimator", "score", "fold_mean", "cochran_p", "rows", "units"}
    assert found["challenger"] == "strong"
    assert set(found["scores"]) == {"plain", "strong", "weak|er"}
    assert found["in_words"][0].startswith("strong ranks first, significantly better than plain")
    low, high = found["fold_mean_95"]
    assert low < found["fold_mean"] < high


def test_plots_always_have_the_same_columns(tmp_path: Path) -> None:
    for standings in (rank(three(), by="roc_auc"), rank([candidate("only", skill=1.0)], by="roc_auc")):
        write_points(points(standings), tmp_path)
        for name, columns in COLUMNS.items():
            heading = (tmp_path / f"{name}.csv").read_text().splitlines()[0]
            assert heading.split(",") == list(columns), name


def test_a_search_is_drawn_with_its_best_score_so_far_and_failed_trials() -> None:
    rows = points(rank(three(), by="roc_auc"))["search"]
    own = [row for row in rows if row["candidate"] == "strong"]
    assert [(row["score"], row["best"], row["complete"]) for row in own] == [
        (0.7, 0.7, "yes"),
        (0.72, 0.7, "no"),
        (None, 0.7, "no"),
        (0.75, 0.75, "yes"),
    ]
    unsearched = [row for row in rows if row["candidate"] == "plain"]
    assert [(row["trial"], row["settings"], row["method"]) for row in unsearched] == [(1, "as given", "none")]


def test_pictures_without_data_are_not_drawn() -> None:
    assert list(draw_candidates(points(rank(three(), by="roc_auc")))) == [
        "leaderboard.svg",
        "search.svg",
        "learning_curves.svg",
    ]
    unsearched = points(rank([candidate("only", skill=1.0)], by="roc_auc"))
    assert list(draw_candidates(unsearched)) == ["leaderboard.svg", "learning_curves.svg"]


def test_pictures_contain_no_date_and_no_program() -> None:
    for picture in draw_candidates(points(rank(three(), by="roc_auc"))).values():
        text = picture.decode()
        assert "<dc:date>" not in text
        assert "<dc:creator>" not in text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    store(tmp_path / "models/candidates", *three()[:2], candidate("weak", skill=0.2, noise=0.5, seed=3))
    settings = {"train": {"candidates": {"plain": {}, "strong": {}, "weak": {}}}, "select": {"by": "roc_auc"}}
    (tmp_path / "params.yaml").write_text(json.dumps(settings))
    return tmp_path


def run_select(folder: Path, **environment: str) -> dict[Path, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "stages.select"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    written = ("metrics", "plots", "data/pages", "models/challenger")
    return {path: path.read_bytes() for name in written for path in (folder / name).rglob("*") if path.is_file()}


def test_another_process_writes_the_same_bytes(project: Path) -> None:
    first = run_select(project, PYTHONHASHSEED="1", OMP_NUM_THREADS="1")
    second = run_select(project, PYTHONHASHSEED="2", OMP_NUM_THREADS="4", MPLCONFIGDIR=str(project / "elsewhere"))
    assert first == second
    assert {path.relative_to(project).as_posix() for path in first} == {
        "metrics/select.json",
        *(f"plots/select/{name}.csv" for name in COLUMNS),
        *(
            f"data/pages/candidates/{name}"
            for name in ("README.md", "leaderboard.svg", "search.svg", "learning_curves.svg")
        ),
        "models/challenger/manifest.json",
        "models/challenger/pipeline.skops",
    }


def test_the_ranking_score_and_the_margin_are_settings(project: Path) -> None:
    change_params(project, {"select.by": "log_loss", "select.significance": 0.01, "select.margin": 0.5})
    run_select(project)
    found = read_result(project / "metrics/select.json")
    assert found["by"] == "log_loss"
    assert "is equivalent within 0.5" in found["in_words"][0]


def test_a_report_links_only_to_existing_files(project: Path) -> None:
    run_select(project)
    folder = project / "data/pages/candidates"
    links = [part.split(")")[0] for part in (folder / "README.md").read_text().split("](")[1:]]
    assert links
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize(("trials", "drawn"), [(1, False), (2, True)])
def test_a_search_is_drawn_when_it_has_two_trials_even_failed_ones(trials: int, *, drawn: bool) -> None:
    failed: list[dict[str, Any]] = [
        {"number": n + 1, "settings": {}, "score": None, "folds": 0, "best": None} for n in range(trials)
    ]
    standings = rank([candidate("unlucky", skill=1.0, search={**SEARCHED, "trials": failed})], by="roc_auc")
    assert ("search.svg" in draw_candidates(points(standings))) == drawn


def test_a_learning_curve_without_training_scores_is_drawn() -> None:
    one = candidate("a", skill=1.0)
    bare = tuple(
        point.model_copy(update={"train_score": None, "low": None, "high": None, "score": None})
        for point in one.learning
    )
    standings = rank([Candidate(one.name, one.manifest, one.out_of_fold, one.search, bare)], by="roc_auc")
    assert "learning_curves.svg" in draw_candidates(points(standings))
    assert "## Learning curve" in page(standings)
