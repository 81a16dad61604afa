"""A rollback restores an older champion byte for byte, with a new commit and tag."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lab.model_files.manifest import PIPELINE, read_manifest
from ops.registry.entries import entry_at, write_entry
from ops.registry.place import Place
from ops.registry.rollback import entry_to_return_to
from ops.revisions.snapshot import WORKSPACE, snapshot_of
from tests.cures import cure_in
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
    run_and_commit,
    state_of,
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
    assert "WOULD REPLACE version 2 of churn by version 1: complaints" in done.stdout
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
    assert "Version 1 of churn replaced no version" in done.stderr


def test_a_rollback_is_not_undone_by_another_one_but_by_name(returned: Path) -> None:
    done = call(returned, "rollback", *WHY, "--push", "--dry-run")
    assert done.returncode == 2
    cure_in(done.stderr, of="ops/registry/rollback.py: --to VERSION")
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
    assert "differs from version 1: pipeline.skops has other bytes" in done.stderr
    assert "dvc get . models/champion --rev churn@v1.0.0" in done.stderr
    assert state_of(here) == before


def test_it_may_be_fitted_anew_and_the_stage_goes_back_to_its_own_bytes(here: Path) -> None:
    replace_in(here / "toy.py", '["estimator"] + os', '["estimator"] + "er" + os')
    run(["dvc", "repro", "--quiet"], cwd=here)
    commit(here, "Fit models otherwise")
    assert_done(call(here, "rollback", *WHY, "--push", "--refit"))
    assert (here / "models/champion/pipeline.skops").read_text() == '["weaker", {"strength": 1}]'
    assert "differs from the model at churn@v1.0.0: pipeline.skops has" in output(
        here, "git", "log", "-1", "--format=%b"
    )
    run(["dvc", "get", "--quiet", ".", "models/champion", "--rev", "churn#production#3", "--out", "served"], cwd=here)
    assert (here / "served/pipeline.skops").read_text() == '["weak", {"strength": 1}]'


def test_it_needs_nothing_from_cache_or_remote_and_a_pull_request_will_do(here: Path) -> None:
    shutil.rmtree(here.parent / "storage")
    fresh = clone_of(here.parent, "fresh", pulled=False)
    run(["git", "checkout", "--quiet", "-b", "back"], cwd=fresh)
    done = assert_done(call(fresh, "rollback", *WHY, "--propose"))
    assert "promote --register" in done.stdout
    assert (fresh / "models/champion/pipeline.skops").read_text() == '["weak", {"strength": 1}]'
    then, now = (snapshot_of(name, root=fresh).lock["champion"].outputs for name in ("churn@v1.0.0", "HEAD"))
    assert then == now
    assert output(fresh, "git", "tag", "--list", "churn#*").split() == ["churn#production#1", "churn#production#2"]
    run(["git", "push", "--quiet", "origin", "back:main"], cwd=fresh)  # the merge, elsewhere
    moved = assert_done(call(fresh, "promote", "--register", "--push"))
    assert "REGISTERED churn@v1.0.0 in production: churn#production#3, pushed." in moved.stdout


def test_who_comes_after_another_commit_is_stopped_before_the_work(here: Path) -> None:
    other = clone_of(here.parent, "other", pulled=False)
    commit(other, "Something else")
    run(["git", "push", "--quiet"], cwd=other)
    done = call(here, "rollback", *WHY, "--push")
    assert done.returncode == 1
    assert "main lacks commits of origin/main" in done.stdout


# The real pipeline, on a small world: what a promotion derives, and what deriving the first version again gives.
EASY = {"validate.floors.precision": 0.1, "validate.accuracy_gap": 0.9, "validate.calibration_gap": 0.9}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small project whose challenger was promoted; what it had before lies beside it."""
    folder = copy_of_history(tmp_path_factory, tmp_path_factory.mktemp("registry") / "project")
    change_params(folder, EASY)
    run_and_commit(folder, "Ask for less, so that the challenger passes its gates")
    assert_done(call(folder, "promote", "--register"))
    for name in ("models/champion", "models/challenger", "data/predictions"):
        shutil.copytree(folder / name, folder.parent / "before" / name)
    assert_done(call(folder, "promote", "--force", "so small a world tells little"))
    return folder


def scores(folder: Path, model: str) -> list[list[float]]:
    files = sorted((folder / "data/predictions").glob("*.parquet"))
    return [pq.read_table(file)[f"{model}_score"].to_pylist() for file in files]


def test_the_promoted_model_is_the_challenger_that_was_judged(project: Path) -> None:
    before = project.parent / "before"
    champion, challenger = (
        read_manifest(folder).files for folder in (project / "models/champion", before / "models/challenger")
    )
    assert PIPELINE in champion
    assert champion.items() <= challenger.items()
    assert scores(project, "champion") == scores(before, "challenger")
    assert scores(project, "champion") != scores(before, "champion")


def test_a_promotion_of_the_project_leaves_nothing_stale(project: Path) -> None:
    assert_done(call(project, "history", "--check"))
    assert_done(call(project, "readme", "--check"))
    assert output(project, "git", "status", "--porcelain") == ""
    assert output(project, "dvc", "status") == "Data and pipelines are up to date."


def test_the_first_version_is_derived_again_to_the_byte(project: Path) -> None:
    document = json.loads(assert_done(call(project, "rollback", *WHY, "--dry-run", "--json")).stdout)
    assert (document["version"], document["replaces"]) == (1, 2)
    then, now = snapshot_of("churn@v1.0.0", root=project), entry_at(snapshot_of("HEAD", root=project), "churn")
    place = Place(project, "churn", None, None, None)
    write_entry(project / "champion.yaml", "churn", entry_to_return_to(then, place, now, "complaints"))
    shutil.rmtree(project / "models/champion")
    run(["dvc", "repro", "--quiet", "champion"], cwd=project)
    again = (project / "models/champion/pipeline.skops").read_bytes()
    assert again == (project.parent / "before/models/champion/pipeline.skops").read_bytes()
    old, new = (
        snapshot_of(name, root=project).lock["champion"].outputs["models/champion"].md5
        for name in ("churn@v1.0.0", WORKSPACE)
    )
    assert old == new
