"""An older champion comes back, byte for byte, by a new commit and a new stage tag."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lab.manifest import PIPELINE, read_manifest
from tests.history import copy_of_history
from tests.ops.toy import (
    assert_done,
    call,
    clone_of,
    commit,
    output,
    promoted_toy,
    replace_in,
    rolled_back_toy,
    state_of,
    together,
    toy,
)
from tests.project import change_params, run

pytestmark = pytest.mark.xdist_group("registry")
WHY = ("--because", "complaints")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return promoted_toy(tmp_path / "base")


@pytest.fixture(scope="module")
def returned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a toy after a promotion and a rollback, to be looked at only."""
    return rolled_back_toy(tmp_path_factory.mktemp("returned") / "base")


def lock_entry(folder: Path, revision: str, output_path: str = "models/champion") -> str:
    lines = output(folder, "git", "show", f"{revision}:dvc.lock").splitlines()
    place = lines.index(f"    - path: {output_path}", lines.index("  champion:"))
    return next(line.split()[-1] for line in lines[place:] if "md5:" in line)


def test_a_rollback_is_a_new_commit_and_a_new_stage_tag_on_the_old_version(returned: Path) -> None:
    assert output(returned, "git", "log", "-1", "--format=%s") == "Roll churn back from version 2 to version 1"
    assert output(returned, "git", "tag").split() == [
        *("churn#production#1", "churn#production#2", "churn#production#3"),
        *("churn@v1.0.0", "churn@v2.0.0"),
    ]
    assert output(returned, "git", "rev-parse", "churn#production#3^{}") == output(
        returned, "git", "rev-parse", "churn@v1.0.0^{}"
    )
    assert output(returned, "git", "status", "--porcelain") == ""


def test_the_old_bytes_are_back(returned: Path) -> None:
    assert (returned / "models/champion/pipeline.skops").read_text() == '["weak", {"strength": 1}]'
    assert "because: complaints" in (returned / "champion.yaml").read_text()


def test_the_number_of_a_version_is_never_given_again(tmp_path: Path) -> None:
    here = rolled_back_toy(tmp_path / "base")
    done = call(here, "promote", "--dry-run", "--push", "--json")
    document = json.loads(done.stdout)
    assert (document["version"], document["replaces"], document["allowed"]) == (3, 1, True)


def test_a_dry_run_changes_nothing(here: Path) -> None:
    before = state_of(here)
    done = assert_done(call(here, "rollback", *WHY, "--push", "--dry-run"))
    assert "WOULD PUT version 1 of churn in the place of version 2: complaints" in done.stdout
    assert state_of(here) == before


@pytest.mark.parametrize("name", ["1", "v1.0.0", "churn@v1.0.0"])
def test_a_version_has_three_names(here: Path, name: str) -> None:
    document = json.loads(call(here, "rollback", *WHY, "--to", name, "--push", "--dry-run", "--json").stdout)
    assert (document["version"], document["replaces"]) == (1, 2)


@pytest.mark.parametrize("name", ["3", "latest", "v1.0.1", "other@v1.0.0"])
def test_a_version_that_is_none_is_a_mistake(here: Path, name: str) -> None:
    done = call(here, "rollback", *WHY, "--to", name, "--push", "--dry-run")
    assert done.returncode == 2
    assert "expected one of ['v1.0.0', 'v2.0.0']" in done.stderr


def test_the_first_champion_has_nobody_to_go_back_to(tmp_path: Path) -> None:
    done = call(toy(tmp_path / "base"), "rollback", *WHY, "--push")
    assert done.returncode == 2
    assert "Version 1 of churn took nobody's place" in done.stderr


def test_a_rollback_is_not_undone_by_another_one_but_by_name(returned: Path) -> None:
    done = call(returned, "rollback", *WHY, "--push", "--dry-run")
    assert done.returncode == 2
    assert "Cure: --to VERSION" in done.stderr
    assert_done(call(returned, "rollback", *WHY, "--to", "2", "--push", "--dry-run"))


def test_the_champion_itself_and_an_unclean_tree_are_refused(here: Path) -> None:
    (here / "new.py").write_text("")
    done = call(here, "rollback", *WHY, "--to", "2", "--push")
    assert done.returncode == 1
    assert "REFUSED: tree is clean, another version. Nothing was changed." in done.stdout


def test_a_version_that_its_tag_alone_names_is_refused(here: Path) -> None:
    run(["git", "tag", "--delete", "churn@v1.0.0"], cwd=here)
    run(["git", "push", "--quiet", "origin", ":refs/tags/churn@v1.0.0"], cwd=here)
    run(["git", "tag", "-a", "churn@v1.0.0", "-m", "Not so", "HEAD"], cwd=here)
    done = call(here, "rollback", *WHY, "--to", "1", "--push")
    assert done.returncode == 1
    assert "where champion.yaml names version 2" in done.stdout


def test_a_version_that_comes_out_otherwise_is_put_back(here: Path) -> None:
    replace_in(here / "toy.py", '["estimator"] + os', '["estimator"] + "er" + os')
    run(["dvc", "repro", "--quiet"], cwd=here)
    commit(here, "Fit models otherwise")
    before = state_of(here)
    done = call(here, "rollback", *WHY, "--push")
    assert done.returncode == 2
    assert "is not version 1 as it was: the fitted pipeline is not the same bytes" in done.stderr
    assert "dvc get --rev churn@v1.0.0 . models/champion" in done.stderr
    assert state_of(here) == before


def test_it_needs_nothing_from_cache_or_remote_and_a_pull_request_will_do(here: Path) -> None:
    shutil.rmtree(here.parent / "storage")
    fresh = clone_of(here.parent, "fresh", pulled=False)
    run(["git", "checkout", "--quiet", "-b", "back"], cwd=fresh)
    done = assert_done(call(fresh, "rollback", *WHY, "--propose"))
    assert "promote --register" in done.stdout
    assert (fresh / "models/champion/pipeline.skops").read_text() == '["weak", {"strength": 1}]'
    assert lock_entry(fresh, "HEAD") == lock_entry(fresh, "churn@v1.0.0")
    assert output(fresh, "git", "tag", "--list", "churn#*").split() == ["churn#production#1", "churn#production#2"]
    run(["git", "push", "--quiet", "origin", "back:main"], cwd=fresh)  # the merge, elsewhere
    moved = assert_done(call(fresh, "promote", "--register", "--push"))
    assert "REGISTERED churn@v1.0.0 in production: churn#production#3, pushed." in moved.stdout


def test_of_a_rollback_and_a_promotion_at_once_one_wins(here: Path) -> None:
    other = Path(shutil.copytree(here, here.parent / "other"))
    before = state_of(here)
    done = together(
        (here, ("rollback", *WHY, "--push"), {}),
        (other, ("rollback", *WHY, "--push"), {"GIT_COMMITTER_NAME": "another"}),
    )
    assert sorted(each.returncode for each in done) == [0, 1], [each.stderr for each in done]
    assert state_of((here, other)[[each.returncode for each in done].index(1)]) == before


# The real pipeline, on a small world.


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small project in which version 2 was promoted and rolled back, with the bytes of each step beside it."""
    folder = copy_of_history(tmp_path_factory, tmp_path_factory.mktemp("registry") / "project")
    run(["git", "checkout", "--quiet", "-B", "main", "other"], cwd=folder)
    run(["dvc", "checkout", "--quiet"], cwd=folder)
    change_params(folder, EASY)
    run(["dvc", "repro", "--quiet"], cwd=folder)
    run(["dvc", "push", "--quiet"], cwd=folder)
    commit(folder, "Ask for less, so that the challenger passes")
    for number, verb in enumerate((("promote", "--register"), ("promote",), ("rollback", *WHY))):
        assert_done(call(folder, *verb))
        shutil.copytree(folder / "models/champion", folder.parent / f"{number}/champion")
        shutil.copytree(folder / "models/challenger", folder.parent / f"{number}/challenger")
        shutil.copytree(folder / "data/predictions", folder.parent / f"{number}/predictions")
    return folder


EASY = {
    "validate.floors.f1": 0.1,
    "validate.floors.precision": 0.1,
    "validate.accuracy_gap": 0.9,
    "validate.calibration_gap": 0.9,
}


def scores(folder: Path, model: str) -> list[list[float]]:
    files = sorted((folder / "predictions").glob("*.parquet"))
    return [pq.read_table(file)[f"{model}_score"].to_pylist() for file in files]


def test_the_promoted_model_is_the_challenger_that_was_judged(project: Path) -> None:
    first, promoted = project.parent / "0", project.parent / "1"
    assert read_manifest(promoted / "champion").files == {PIPELINE: read_manifest(first / "challenger").files[PIPELINE]}
    assert scores(promoted, "champion") == scores(first, "challenger")
    assert scores(promoted, "champion") != scores(first, "champion")


def test_the_model_that_was_rolled_back_to_predicts_as_it_did(project: Path) -> None:
    first, back = project.parent / "0", project.parent / "2"
    assert (back / "champion/pipeline.skops").read_bytes() == (first / "champion/pipeline.skops").read_bytes()
    assert scores(back, "champion") == scores(first, "champion")
    assert lock_entry(project, "HEAD") == lock_entry(project, "churn@v1.0.0")


def test_a_whole_registry_of_the_project_is_left(project: Path) -> None:
    assert_done(call(project, "history", "--check"))
    assert output(project, "git", "status", "--porcelain") == ""
    assert output(project, "dvc", "status") == "Data and pipelines are up to date."
