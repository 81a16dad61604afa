"""The cures that verbs of the registry print, applied in a small repository."""

import json
from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.core.tables import read_table
from ops.registry.upstream import upstream_of
from ops.revert.tree import check_out, refuse_changes
from ops.revisions.snapshot import WORKSPACE, snapshot_of
from ops.sweep.work import refuse_unseen
from tests.cures import apply_cure, cure_in
from tests.ops.toy import assert_done, call, commit, output, promoted_toy, replace_in, run_and_commit, toy
from tests.project import run

pytestmark = pytest.mark.xdist_group("registry")
PROMOTING, REGISTERING = "ops/registry/promoting.py", "ops/registry/registering.py"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = toy(tmp_path / "base")
    monkeypatch.chdir(folder)
    return folder


def dry(folder: Path, *options: str, **environment: str) -> str:
    done = call(folder, "promote", "--propose", "--dry-run", *options, **environment)
    assert done.returncode in {0, 1}
    return done.stdout


def no_guard(text: str, guard: str) -> bool:
    return f"NO   {guard}" in text


def test_a_shallow_clone_becomes_whole(here: Path) -> None:
    run(["git", "clone", "--quiet", "--depth", "1", f"file://{here.parent}/origin.git", "shallow"], cwd=here.parent)
    shallow = here.parent / "shallow"
    refused = call(shallow, "history")
    key = "ops/registry/champion_changes.py: git fetch --unshallow --tags"
    apply_cure(refused.stderr, "git fetch --unshallow --tags", of=key, cwd=shallow)
    assert_done(call(shallow, "history"))


def test_of_several_remotes_one_becomes_origin(here: Path) -> None:
    run(["git", "remote", "rename", "origin", "first"], cwd=here)
    run(["git", "remote", "add", "second", "../origin.git"], cwd=here)
    run(["git", "branch", "--unset-upstream"], cwd=here)
    with pytest.raises(LabError) as refused:
        upstream_of(here)
    key, fill = "ops/registry/upstream.py: git remote rename NAME origin", {"NAME": "first"}
    apply_cure(str(refused.value), "git remote rename NAME origin", of=key, cwd=here, fill=fill)
    assert upstream_of(here)


def test_a_tag_that_differs_is_taken_from_the_remote(here: Path) -> None:
    run(["git", "tag", "--force", "-a", "churn@v1.0.0", "-m", "Mine", "HEAD"], cwd=here)
    refused = call(here, "promote", "--dry-run", "--push")
    command = "git tag --delete churn@v1.0.0; git fetch --tags origin"
    apply_cure(
        refused.stderr,
        command,
        of="ops/registry/upstream.py: take theirs: git tag --delete {}; git fetch --tags {}",
        cwd=here,
    )
    assert_done(call(here, "promote", "--dry-run", "--push"))


def test_a_missing_gto_file_comes_back(here: Path) -> None:
    (here / ".gto").unlink()
    refused = call(here, "promote", "--register", "--dry-run", "--no-push")
    apply_cure(refused.stderr, "git checkout .gto", of=f"{REGISTERING}: Bring it back: git checkout {{}}", cwd=here)
    assert_done(call(here, "promote", "--register", "--dry-run", "--no-push"))


def test_a_detached_head_goes_back_to_the_branch(here: Path) -> None:
    run(["git", "checkout", "--quiet", "--detach"], cwd=here)
    text = dry(here)
    assert no_guard(text, "on a branch")
    key = "ops/registry/guards.py: git switch main, or git switch --create NAME"
    apply_cure(text, "git switch main", of=key, cwd=here)
    assert not no_guard(dry(here), "on a branch")


def test_a_change_is_shown(here: Path) -> None:
    (here / "new.py").write_text("")
    key = "ops/registry/guards.py: commit or restore it: git status"
    assert "new.py" in apply_cure(dry(here), "git status", of=key, cwd=here).stdout
    commit(here, "Commit it")
    assert not no_guard(dry(here), "tree is clean")


def test_a_committer_gets_a_name(here: Path) -> None:
    nobody = {f"GIT_{who}_{what}": "" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    text = dry(here, **nobody)
    assert no_guard(text, "committer is known")
    command, fill = (
        "git config user.name NAME; git config user.email ADDRESS",
        {"NAME": "A", "ADDRESS": "a@example.invalid"},
    )
    apply_cure(
        text,
        command,
        of="ops/registry/guards.py: git config user.name NAME; git config user.email ADDRESS",
        cwd=here,
        fill=fill,
    )
    assert output(here, "git", "config", "user.email") == "a@example.invalid"


def test_a_stale_lock_is_run(here: Path) -> None:
    replace_in(here / "params.yaml", "strength: 2", "strength: 3")
    commit(here, "A setting without its results")
    text = dry(here, "--no-push")
    assert no_guard(text, "lock is fresh")
    key = "ops/verify/checks.py: dvc repro, then commit its results; for what a stage no long"
    apply_cure(text, "dvc repro", of=key, cwd=here)
    commit(here, "Its results")
    assert not no_guard(dry(here, "--no-push"), "lock is fresh")


def test_a_head_that_lacks_a_version_goes_back(tmp_path: Path) -> None:
    here = promoted_toy(tmp_path / "base")
    run(["git", "checkout", "--quiet", "-b", "old", "HEAD^"], cwd=here)
    run(["dvc", "checkout", "--quiet", "--force"], cwd=here)
    text = dry(here)
    assert no_guard(text, "after every version")
    key = "ops/registry/guards.py: git switch main; git pull --tags; then try again"
    apply_cure(text, "git switch main; git pull --tags", of=key, cwd=here)
    assert not no_guard(dry(here), "after every version")


def test_a_promotion_from_another_branch_follows_the_shared_one(here: Path) -> None:
    run(["git", "switch", "--quiet", "--create", "mine"], cwd=here)
    text = call(here, "promote", "--dry-run", "--push").stdout
    assert no_guard(text, "follows the shared branch")
    key = f"{REGISTERING}: git switch {{}}; git pull {{}}; or a pull request: --propose"
    apply_cure(text, "git switch main; git pull origin", of=key, cwd=here)
    assert_done(call(here, "promote", "--dry-run", "--push"))


def test_a_gate_and_the_gain_are_overruled_as_the_messages_say(here: Path) -> None:
    verdict = json.dumps({"passed": False, "failed": ["recall"], "within_noise": []})
    replace_in(here / "toy.py", 'json.dumps({"passed": not failed, "failed": failed})', repr(verdict))
    replace_in(here / "params.yaml", "least_gain: 0.01", "least_gain: 0.5")
    run_and_commit(here, "A gate fails, and the gain is too small")
    text = dry(here)
    gate = cure_in(text, of=f"{PROMOTING}: see python -m ops gate; a person may overrule each: --overru")
    gain = cure_in(text, of=f"{PROMOTING}: see python -m ops compare; to overrule: --force REASON")
    options = [words.replace("GATE", "recall") for cure in (gate, gain) for words in cure.split()[-2:]]
    assert options == ["--overrule", "recall=REASON", "--force", "REASON"]
    assert_done(call(here, "promote", "--propose", "--dry-run", *options))


def test_a_promotion_without_push_names_the_way_to_others(here: Path) -> None:
    refused = call(here, "promote")
    cure = cure_in(refused.stderr, of=f"{REGISTERING}: --push, which pushes commit and tags in one step; or --propo")
    assert_done(call(here, "promote", cure.split(",")[0]))


def test_a_missing_table_is_run_again(here: Path) -> None:
    path = Path("data/predictions/test.parquet")
    path.unlink()
    with pytest.raises(LabError) as refused:
        read_table(path)
    apply_cure(str(refused.value), "dvc repro", of="lab/core/tables.py: `dvc repro`, or `dvc pull`.", cwd=here)
    assert read_table(path).num_rows == 2


def test_a_torn_lock_comes_back(here: Path) -> None:
    (here / "dvc.lock").write_text("stages: [")
    with pytest.raises(LabError) as refused:
        _ = snapshot_of(WORKSPACE, root=here).lock
    key = "ops/revisions/lock.py: `python -m ops resolve` after a merge, or bring it back: git"
    apply_cure(str(refused.value), "git checkout dvc.lock", of=key, cwd=here)
    assert snapshot_of(WORKSPACE, root=here).lock


def test_an_unreadable_result_comes_back(here: Path) -> None:
    path = "metrics/abtest.json"
    (here / path).write_text("{")
    with pytest.raises(LabError) as refused:
        snapshot_of(WORKSPACE, root=here).json(path)
    key = "ops/revisions/snapshot.py: git checkout {}, or take another revision"
    apply_cure(str(refused.value), f"git checkout {path}", of=key, cwd=here)
    assert snapshot_of(WORKSPACE, root=here).json(path)


def test_what_no_commit_holds_is_put_aside(here: Path) -> None:
    (here / "new.py").write_text("")
    with pytest.raises(LabError) as revert:
        refuse_changes(here, killed=None)
    with pytest.raises(LabError) as sweep:
        refuse_unseen(here, allowed=None)
    key = "ops/revert/tree.py: `git commit` them, or put them aside: git stash --include-un"
    apply_cure(str(revert.value), "git stash --include-untracked", of=key, cwd=here)
    refuse_changes(here, killed=None)
    run(["git", "stash", "pop", "--quiet"], cwd=here)
    key = "ops/sweep/work.py: `git commit` them, or git stash --include-untracked"
    apply_cure(str(sweep.value), "git stash --include-untracked", of=key, cwd=here)
    refuse_unseen(here, allowed=None)


def test_a_branch_of_that_name_is_checked_out_instead(here: Path) -> None:
    run(["git", "branch", "mine"], cwd=here)
    commit(here, "Newer")
    with pytest.raises(LabError) as refused:
        check_out("HEAD", output(here, "git", "rev-parse", "HEAD"), branch="mine", root=here, by_force=False)
    key = "ops/revert/tree.py: another name, or `git checkout {}`"
    apply_cure(str(refused.value), "git checkout mine", of=key, cwd=here)
    assert output(here, "git", "branch", "--show-current") == "mine"


def test_a_sweep_without_settings_names_its_help(here: Path) -> None:
    refused = call(here, "sweep")
    key = "ops/sweep/settings.py: see python -m ops sweep --help"
    shown = apply_cure(refused.stderr, "python -m ops sweep --help", of=key, cwd=here)
    assert shown.stdout.startswith("Usage: python -m ops sweep")


def test_an_unknown_revision_is_found_in_the_lists(here: Path) -> None:
    with pytest.raises(LabError) as refused:
        snapshot_of("nowhere", root=here)
    key = "ops/revisions/git.py: `git branch --all`, `git tag` and `dvc exp list --all` show"
    shown = [
        apply_cure(str(refused.value), command, of=key, cwd=here).stdout
        for command in ("git branch --all", "git tag", "dvc exp list --all", "git fetch --tags")
    ]
    assert "main" in shown[0]
    assert "churn@v1.0.0" in shown[1]


SWEEPS = [
    (("-S", "strength=1", "-S", "strength=2"), "list its values: a,b", ("-S", "strength=1,2")),
    (("-S", "strength=interval(1,2)"), "add --random N", ("-S", "strength=interval(1,2)", "--random", "2")),
    (
        ("-S", f"strength={','.join(map(str, range(1, 1003)))}"),
        "fewer values, or --random N",
        ("-S", f"strength={','.join(map(str, range(1, 1003)))}", "--random", "2"),
    ),
]
SWEEP_KEYS = {
    "ops/sweep/settings.py: list its values: a,b",
    "ops/sweep/settings.py: add --random N",
    "ops/sweep/settings.py: fewer values, or --random N",
}


@pytest.mark.parametrize(("words", "cure", "cured"), SWEEPS, ids=[cure for _, cure, _ in SWEEPS])
def test_a_sweep_is_cured_as_its_message_says(
    here: Path, words: tuple[str, ...], cure: str, cured: tuple[str, ...]
) -> None:
    refused = call(here, "sweep", "--dry-run", *words)
    (key,) = (each for each in SWEEP_KEYS if each.endswith(cure))
    cure_in(refused.stderr, of=key)
    assert_done(call(here, "sweep", "--dry-run", *cured))


def test_an_unknown_version_is_found_in_the_history(here: Path) -> None:
    refused = call(here, "rollback", "--because", "why", "--to", "v9.0.0", "--no-push")
    key = "ops/registry/rollback.py: see python -m ops history, after git fetch --tags."
    run(["git", "fetch", "--tags"], cwd=here)
    shown = apply_cure(refused.stderr, "python -m ops history", of=key, cwd=here)
    assert "v1.0.0" in shown.stdout
