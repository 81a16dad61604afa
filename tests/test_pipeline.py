"""The whole DAG on small data: reproducible bytes, no needless reruns, every task."""

import os
from pathlib import Path

import pytest

from tests.history import copy_of_history
from tests.project import change_params, copy_project, files_below, lock_of, run

pytestmark = [pytest.mark.slow]
ELSEWHERE = {
    "OMP_NUM_THREADS": "3",
    "OPENBLAS_NUM_THREADS": "3",
    "PYTHONHASHSEED": "2",
    "TZ": "Pacific/Auckland",
    "LANG": "tr_TR.UTF-8",
}


def results_of(folder: Path) -> dict[str, bytes]:
    return {
        name: content
        for part in ("metrics", "plots", "reports")
        for name, content in files_below(folder / part).items()
    }


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs of the same commit in folders of different depth, with other threads, hash seeds, zones and umasks."""
    first = copy_of_history(tmp_path_factory, tmp_path_factory.mktemp("first") / "project")
    second = copy_project(tmp_path_factory.mktemp("second") / "another place" / "deeper")
    before = os.umask(0o077)
    try:
        run(["dvc", "repro", "--quiet"], cwd=second, environment=ELSEWHERE)
    finally:
        os.umask(before)
    return first, second


@pytest.mark.xdist_group("twins")
def test_two_runs_anywhere_give_the_same_lock(twins: tuple[Path, Path]) -> None:
    first, second = (lock_of(folder) for folder in twins)
    assert first == second


@pytest.mark.xdist_group("twins")
def test_two_runs_anywhere_give_the_same_results(twins: tuple[Path, Path]) -> None:
    first, second = (results_of(folder) for folder in twins)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.xdist_group("twins")
def test_a_second_run_does_nothing(twins: tuple[Path, Path]) -> None:
    done = run(["dvc", "repro"], cwd=twins[0])
    assert "Running stage" not in done.stdout
    assert "up to date" in done.stdout


@pytest.mark.xdist_group("twins")
def test_a_run_adds_only_results_for_git(twins: tuple[Path, Path]) -> None:
    listed = run(["git", "status", "--porcelain", "--untracked-files=all"], cwd=twins[1]).stdout.splitlines()
    strange = [line for line in listed if not line[3:].startswith(("metrics/", "plots/", "reports/", "dvc.lock"))]
    assert strange == []


@pytest.mark.xdist_group("twins")
def test_a_changed_gate_reruns_only_its_readers(twins: tuple[Path, Path]) -> None:
    change_params(twins[1], {"validate.floors.accuracy": 0.5})
    done = run(["dvc", "repro"], cwd=twins[1])
    ran = [line for line in done.stdout.splitlines() if line.startswith("Running stage")]
    assert ran == ["Running stage 'validate':", "Running stage 'card':"]


@pytest.mark.xdist_group("twins")
def test_a_changed_candidate_is_trained_alone(twins: tuple[Path, Path]) -> None:
    added = "+train.candidates.guess={estimator: dummy, settings: {}}"
    done = run(["dvc", "exp", "run", "--set-param", added], cwd=twins[0])
    ran = [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage")]
    assert "train@guess" in ran
    assert not {"ingest", "featurize", "train@forest"} & set(ran)


def test_a_task_of_a_table_runs_from_end_to_end(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", settings={"train.search.method": "none"})
    run(["dvc", "exp", "run", "--set-param", "task=table", "--quiet"], cwd=project)  # README's commands run the other
    assert (project / "metrics/validate.json").exists()
    assert (project / "metrics/abtest.json").exists()
