"""Stages train, select and champion run as commands."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lab.core.result_files import read_result
from tests.project import ROOT, run
from tests.tables import make_features

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("train_stages")]
TRAIN: dict[str, Any] = {
    "folds": 4,
    "threshold": {"rule": "best_f1", "value": 0.5},
    "search": {"method": "none"},
    "learning_curve": [0.5],
    "workers": "local",
    "candidates": {
        "plain": {"estimator": "logistic_regression"},
        "nothing": {"estimator": "dummy"},
        "wrong": {"estimator": "forrest"},
    },
}
GOOD = ("plain", "nothing")
MONEY = {"benefit_of_true_positive": 2500, "cost_of_false_positive": 800}


def params(folder: Path, train: dict[str, Any]) -> None:
    with (folder / "params.yaml").open("w") as stream:
        YAML().dump({"task": "churn", "seed": 7, "train": train, "select": {"by": "roc_auc"}}, stream)


@contextmanager
def other_candidates(folder: Path, candidates: dict[str, Any]) -> Iterator[None]:
    params(folder, {**TRAIN, "candidates": candidates})
    try:
        yield
    finally:
        params(folder, TRAIN)


def stage(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(["python", "-m", *words], cwd=folder, environment={"PYTHONPATH": str(ROOT)}, check=False)


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "params.yaml"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make_features(folder / "data/features", rows=240)
    (folder / "data/task").mkdir()
    (folder / "data/task/money.json").write_text(json.dumps({"money": MONEY}))
    (folder / "champion.yaml").write_text("default: {version: 1, estimator: logistic_regression}\n")
    params(folder, TRAIN)
    for name in GOOD:
        ended = stage(folder, "stages.train", name)
        assert (ended.returncode, ended.stderr) == (0, "")
    return folder


def test_training_prints_one_line_for_each_fold(project: Path) -> None:
    lines = stage(project, "stages.train", "nothing").stdout.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [["nothing", f"fold {number}/4"] for number in range(1, 5)]


def test_training_writes_model_metrics_and_histories(project: Path) -> None:
    assert sorted(path.name for path in (project / "models/candidates/plain").iterdir()) == [
        "compiled.json",
        "compiled.npz",
        "learning_curve.json",
        "manifest.json",
        "out_of_fold.parquet",
        "pipeline.skops",
        "search.json",
    ]
    assert read_result(project / "metrics/train/plain.json")["estimator"] == "logistic_regression"
    assert len((project / "plots/train/plain/plots/metrics/fold_roc_auc.tsv").read_text().splitlines()) == 5


def test_a_mistake_stops_only_its_own_candidate(project: Path) -> None:
    ended = stage(project, "stages.train", "wrong")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "train.candidates.wrong.estimator is 'forrest', expected one of ['ada_boost'," in ended.stderr
    assert not (project / "models/candidates/wrong").exists()


def test_an_unknown_candidate_exits_with_2(project: Path) -> None:
    ended = stage(project, "stages.train", "nobody")
    assert ended.returncode == 2
    assert "stages.train nobody: expected one name of params.yaml: train.candidates" in ended.stderr


def test_a_failed_training_keeps_the_last_model(project: Path) -> None:
    before = files_of(project / "models")
    with other_candidates(project, {"plain": {"estimator": "logistic_regression", "settings": {"most_steps": 1}}}):
        ended = stage(project, "stages.train", "plain")
    assert ended.returncode == 2
    assert "did not converge" in ended.stderr
    assert files_of(project / "models") == before
    assert stage(project, "stages.train", "plain").returncode == 0


def test_the_challenger_is_the_best_candidate_byte_for_byte(project: Path) -> None:
    with other_candidates(project, {name: TRAIN["candidates"][name] for name in GOOD}):
        ended = stage(project, "stages.select")
    assert (ended.returncode, ended.stderr) == (0, "")
    challenger = project / "models/challenger"
    assert sorted(path.name for path in challenger.iterdir()) == [
        "compiled.json",
        "compiled.npz",
        "manifest.json",
        "pipeline.skops",
    ]
    for path in challenger.iterdir():
        assert path.read_bytes() == (project / "models/candidates/plain" / path.name).read_bytes()
    assert read_result(project / "metrics/select.json")["challenger"] == "plain"
    assert (project / "plots/select/leaderboard.csv").read_text().startswith("place,candidate,estimator,score,")


def test_the_champion_of_an_equal_specification_is_an_equal_model(project: Path) -> None:
    ended = stage(project, "stages.champion")
    assert (ended.returncode, ended.stderr) == (0, "")
    champion, candidate = project / "models/champion", project / "models/candidates/plain"
    assert (champion / "pipeline.skops").read_bytes() == (candidate / "pipeline.skops").read_bytes()
