"""`python -m ops retrain`: every outcome, kills at any moment, and no duplicates."""

import json
import shutil
import signal
from pathlib import Path

import pytest

from lab.core.result_files import read_result
from tests.cures import cure_in
from tests.history import copy_of_history
from tests.ops.github_server import REPOSITORY, TOKEN, State, served
from tests.ops.toy import commit, output, replace_in
from tests.ops.toy_retraining import new_data, retrain, retraining_toy, stopped_at
from tests.processes import is_alive
from tests.project import files_below, run

BETTER = {"strength": 3, "drift": "yes"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return retraining_toy(tmp_path_factory.mktemp("retraining") / "base").parent


@pytest.fixture
def project(base: Path, tmp_path: Path) -> Path:
    shutil.copytree(base, tmp_path / "base", symlinks=True)
    return tmp_path / "base/project"


def seen_by_user(folder: Path) -> dict[str, bytes]:
    """Every file of the user's, outputs included, and where HEAD and main are; DVC's own notes left out."""
    files = {name: content for name, content in files_below(folder).items() if not name.startswith(".dvc/")}
    refs = output(folder, "git", "show-ref", "--head", "--heads").encode()
    return {**files, "refs": refs, "status": output(folder, "git", "status", "--porcelain").encode()}


def tracked_by_dvc(folder: Path) -> None:
    """Give the task's source to DVC."""
    run(["git", "rm", "--quiet", "-r", "--cached", "data/source/churn"], cwd=folder)
    run(["dvc", "add", "--quiet", "data/source/churn"], cwd=folder)
    commit(folder, "Give the source to DVC")


def has_leftovers(folder: Path) -> bool:
    return (folder / ".dvc/tmp/retrain").exists() or bool((folder / ".dvc/tmp/retrain.lock").read_text())


def trainings(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_without_drift_nothing_is_trained(project: Path, tmp_path: Path) -> None:
    before, log = seen_by_user(project), tmp_path / "log"
    done = retrain(project, "--data", str(new_data(project, strength=3, drift="no")), TOY_LOG=str(log))
    assert (done.returncode, done.stdout.splitlines()[0]) == (10, "NO NEED: no rule says that a retraining is due")
    assert trainings(log) == 0
    assert seen_by_user(project) == before
    assert not has_leftovers(project)


def test_data_that_breaks_its_contract_is_refused_before_the_training(project: Path, tmp_path: Path) -> None:
    before, log = seen_by_user(project), tmp_path / "log"
    done = retrain(project, "--data", str(new_data(project, **BETTER, broken=1)), "--json", TOY_LOG=str(log))
    found = json.loads(done.stdout)
    assert (done.returncode, found["code"], found["word"]) == (12, 12, "refused")
    assert found["reasons"] == [
        "the stage featurize refused the data:",
        "The raw data breaks its contract in 1 place(s):\n  rows.broken: found 1",
    ]
    assert trainings(log) == 0
    assert seen_by_user(project) == before
    assert not has_leftovers(project)


def test_damaged_rows_are_refused_unless_a_person_accepts_them(project: Path, tmp_path: Path) -> None:
    words, log = ("--data", str(new_data(project, **BETTER, faults="age")), "--json"), tmp_path / "log"
    refused = json.loads(retrain(project, *words, TOY_LOG=str(log)).stdout)
    assert (refused["code"], refused["reasons"][0], trainings(log)) == (12, "DATA FAULT in age", 0)
    cure = cure_in(
        refused["reasons"][1], of="ops/retrain/need.py: mend the data upstream, then run again; or train on the dama"
    )
    (option,) = (word for word in cure.split() if word.startswith("--"))
    accepted = json.loads(retrain(project, *words, option, TOY_LOG=str(log)).stdout)
    assert (accepted["code"], accepted["word"], trainings(log)) == (0, "proposed", 1)
    page = output(project, "git", "log", "-2", "--format=%B", accepted["branch"])
    assert "- --despite-faults was given; DATA FAULT in age" in page.replace("`", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-S", "seeed=3"), "-S seeed=3: params.yaml has no seeed"),
        (("--data", "nowhere"), "--data nowhere is missing, expected a file or a folder of new data"),
        (("--base", "nowhere"), "'nowhere' is no revision of this repository"),
    ],
)
def test_a_slip_is_told_at_once(words: tuple[str, str], message: str, project: Path) -> None:
    done = retrain(project, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (project / ".dvc/tmp/retrain.lock").exists()


def test_a_candidate_that_is_not_better_is_rejected_and_kept_so_that_what_a_database_has_is_trained_on_once(
    project: Path, tmp_path: Path
) -> None:
    replace_in(
        project / "tasks/churn/task.yaml",
        "files, tables: {rows: {path: rows.txt}}",
        "sql, tables: {rows: {query: a.sql}}",
    )
    commit(project, "Ask a database")
    database, before, log = tmp_path / "database", seen_by_user(project), tmp_path / "log"
    database.write_text("drift=yes\nstrength=1\n")
    words = {"TOY_LOG": str(log), "TOY_DATABASE": str(database)}
    first, again = (retrain(project, "--json", **words) for _ in range(2))
    assert (first.returncode, again.returncode, trainings(log)) == (11, 11, 1), first.stderr
    found = json.loads(first.stdout)
    assert found | {"again": True} == json.loads(again.stdout)
    assert found["promotion"]["reasons"][1].endswith("not more than chance")
    assert found["experiment"] in output(project, "dvc", "exp", "list", "--name-only")
    assert seen_by_user(project) == before
    assert not has_leftovers(project)


def test_a_robot_does_not_promote_within_noise(project: Path) -> None:
    replace_in(
        project / "toy.py", '"failed": failed, "gates": []', '"failed": failed, "within_noise": ["f1"], "gates": []'
    )
    run(["dvc", "repro", "--quiet"], cwd=project)
    run(["dvc", "push", "--quiet"], cwd=project)
    commit(project, "A gate is within noise")
    done = retrain(project, "--data", str(new_data(project, **BETTER)), "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["word"]) == (11, "rejected"), done.stderr
    assert found["promotion"]["reasons"][0] == "gates within noise: f1"
    assert output(project, "git", "branch", "--list", "retrain/*") == ""


def test_killed_anywhere_it_comes_to_the_same_one_proposal(project: Path, tmp_path: Path) -> None:
    tracked_by_dvc(project)
    before, log, head = seen_by_user(project), tmp_path / "log", output(project, "git", "rev-parse", "HEAD")
    words = ("--data", str(new_data(project, **BETTER)), "--push")
    (project / "notes.txt").write_text("uncommitted, and none of a proposal's business")

    with stopped_at(project, "training", *words, TOY_LOG=str(log), TOY_HANGS="1") as first:
        second = retrain(project, *words, "--json")
        assert (second.returncode, json.loads(second.stdout)["word"]) == (13, "busy")
        assert f"process {first.process.pid} runs churn" in second.stdout
    with stopped_at(project, "proposes it on", *words, TOY_LOG=str(log)) as run_again:
        assert "resumes an interrupted run" in run_again.said
        assert "Running stage 'ingest'" not in run_again.said
    assert not any(is_alive(int(process)) for process in log.read_text().split())
    with stopped_at(project, "pushes retrain/", *words, by=signal.SIGINT, TOY_LOG=str(log)) as run_again:
        pass
    assert run_again.process.returncode == 130
    assert "retrain" not in output(project, "git", "ls-remote", "--heads", "origin")

    done = retrain(project, *words, TOY_LOG=str(log))
    assert (done.returncode, trainings(log)) == (0, 2), done.stderr  # one was killed, one came to its end
    assert not has_leftovers(project)
    (branch,) = output(project, "git", "for-each-ref", "--format=%(refname:short)", "refs/heads/retrain").splitlines()
    assert output(project, "git", "rev-parse", f"origin/{branch}") == output(project, "git", "rev-parse", branch)
    assert output(project, "git", "rev-list", "--count", f"{head}..{branch}") == "2"
    assert "strength: 3" in output(project, "git", "show", f"{branch}:champion.yaml")
    changed = output(project, "git", "diff", "--name-only", head, branch).splitlines()
    assert "data/source/churn.dvc" in changed
    assert not [name for name in changed if name.startswith(".dvc/")]
    assert "notes.txt" not in changed

    run(["git", "clone", "--quiet", "--branch", branch, "origin.git", "elsewhere"], cwd=project.parent)
    run(["dvc", "pull", "--quiet", "models/champion"], cwd=project.parent / "elsewhere")
    assert "3" in (project.parent / "elsewhere/models/champion/pipeline.skops").read_text()

    has_one_pull_request(project, branch, *words)
    (project / "notes.txt").unlink()
    run(["git", "branch", "--quiet", "-D", branch], cwd=project)
    assert seen_by_user(project) == before


def has_one_pull_request(project: Path, branch: str, *words: str) -> None:
    """Hold the same data and base to one pull request, which stays closed once a person has closed it."""
    state = State()
    with served(state) as address:
        github = {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}
        first, second = (retrain(project, *words, "--json", **github) for _ in range(2))
        state.pulls[0]["state"] = "closed"
        third = retrain(project, *words, "--json", **github)
    found = [json.loads(done.stdout) for done in (first, second, third)]
    assert [(each["code"], each["again"]) for each in found] == [(0, True)] * 3, first.stderr
    assert {each["pull_request"] for each in found} == {state.pulls[0]["html_url"]}
    (opened,) = state.pulls
    assert (opened["head"]["ref"], opened["title"]) == (branch, "Retrain churn: ROC AUC +0.0300 (0.0250 to 0.0350)")
    assert "- drift suggests it: drifted_columns: it moved" in opened["body"]
    assert "which is closed" in third.stderr
    assert TOKEN not in "".join(done.stdout + done.stderr for done in (first, second, third))
    assert not any(TOKEN.encode() in content for content in files_below(project.parent).values())


def test_a_crash_is_told_and_taken_up_once_more_before_everything_is_made_anew(project: Path, tmp_path: Path) -> None:
    words, log = ("--data", str(new_data(project, **BETTER, crash=1))), tmp_path / "log"
    first = retrain(project, *words, TOY_LOG=str(log))
    assert first.returncode == 1
    assert "the stage train exited with" in first.stdout
    assert has_leftovers(project)
    second = retrain(project, *words, TOY_LOG=str(log))
    assert second.returncode == 1
    assert "Running stage 'ingest'" not in second.stderr
    assert not has_leftovers(project)


def test_where_neither_cache_nor_remote_has_the_reference_it_is_derived(project: Path) -> None:
    shutil.rmtree(project / ".dvc/cache")
    shutil.rmtree(project.parent / "storage")
    done = retrain(project, "--data", str(new_data(project, strength=3, drift="no")))
    assert done.returncode == 10, done.stdout + done.stderr
    assert "derives them" in done.stderr


@pytest.mark.slow
def test_before_the_training_drift_is_judged_as_the_stage_drift_does(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = copy_of_history(tmp_path_factory, tmp_path / "project")
    done = run(["python", "-m", "ops", "retrain", "--dry-run", "--even-so", "--json"], cwd=project, check=False)
    found = json.loads(done.stdout)
    assert (done.returncode, found["word"]) == (0, "would train"), done.stderr
    expected = read_result(project / "metrics/drift.json")
    assert {name: found["drift"][name] for name in ("policies", "retrain", "moved", "rows")} == {
        name: expected[name] for name in ("policies", "retrain", "moved", "rows")
    }
