"""A challenger becomes champion only if every guard passes, and atomically."""

import json
import re
import shlex
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.core.yaml_files import read_yaml
from ops.registry.deriving import restore
from ops.registry.lock import LostError, registry_lock
from ops.registry.upstream import upstream_of
from ops.retrain.command import retrain
from tests.cures import cure_in
from tests.ops.toy import (
    CHAMPION,
    assert_done,
    call,
    clone_of,
    commit,
    output,
    promoted_toy,
    proposed_toy,
    replace_in,
    rolled_back_toy,
    run_and_commit,
    state_of,
    together,
    toy,
)
from tests.project import ROOT, run

pytestmark = pytest.mark.xdist_group("registry")
GUARDS = (
    "on a branch",
    "tree is clean",
    "committer is known",
    "lock is fresh",
    "objects are on the remote",
    "after every version",
    "gates passed",
    "better by enough",
    "challenger is another model",
)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return toy(tmp_path / "base")


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the toy after a promotion, to be looked at only."""
    return promoted_toy(tmp_path_factory.mktemp("promoted") / "base")


def asked(folder: Path, *options: str, **environment: str) -> dict[str, Any]:
    done = call(folder, "promote", "--propose", "--dry-run", "--json", *options, **environment)
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["allowed"] else 1)
    return document


def refused(document: dict[str, Any]) -> dict[str, str]:
    return {each["guard"]: each["found"] for each in document["guards"] if not each["passed"]}


def test_every_guard_is_asked_and_a_dry_run_changes_nothing(here: Path) -> None:
    before = state_of(here)
    document = asked(here)
    assert tuple(each["guard"] for each in document["guards"]) == GUARDS
    assert document["allowed"]
    assert (document["version"], document["replaces"], document["commit"]) == (2, 1, None)
    assert document["gain"] == {"metric": "roc_auc", "value": 0.02, "low": 0.015, "high": 0.025}
    assert state_of(here) == before


def forget_an_object(here: Path) -> None:
    stored = [path for path in (here.parent / "storage").rglob("*") if path.is_file()]
    (pipeline,) = (path for path in stored if path.read_bytes().startswith(b'["strong"'))
    pipeline.unlink()


def fail_a_gate(here: Path) -> None:
    miss_gates(here, failed=["recall"])


def miss_gates(here: Path, *, failed: Sequence[str] = (), within_noise: Sequence[str] = ()) -> None:
    """Commit a verdict that a run of the toy gives again."""
    verdict = json.dumps({"passed": not failed, "failed": list(failed), "within_noise": list(within_noise)})
    replace_in(here / "toy.py", 'json.dumps({"passed": not failed, "failed": failed})', repr(verdict))
    run_and_commit(here, "Gates do not pass")


def gain(difference: float, low: float) -> Callable[[Path], None]:
    def spoil(here: Path) -> None:
        row = {"metric": "roc_auc", "difference": difference, "low": low, "high": 1}
        (here / "metrics/abtest.json").write_text(json.dumps({"offline": {"test": [row]}}))
        commit(here, "Another comparison")

    return spoil


def change_a_setting(here: Path) -> None:
    replace_in(here / "params.yaml", "strength: 2", "strength: 3")
    commit(here, "A setting without its results")


SPOILED: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "a change": (lambda here: replace_in(here / "toy.py", "import", "import  "), "tree is clean", "toy.py"),
    "a new file": (lambda here: (here / "new.py").write_text(""), "tree is clean", "new.py"),
    "no branch": (lambda here: run(["git", "checkout", "--detach"], cwd=here), "on a branch", "HEAD is detached"),
    "stale": (change_a_setting, "lock is fresh", "train: strength is 3, it ran with 2"),
    "not pushed": (forget_an_object, "objects are on the remote", "models/challenger lacks 1 of 2 files"),
    "a gate": (fail_a_gate, "gates passed", "gates failed: recall"),
    "too little": (gain(0.009, 0.001), "better by enough", "not enough"),
    "chance": (gain(0.09, -0.001), "better by enough", "not more than chance"),
    "behind": (
        lambda here: run(["git", "checkout", "--orphan", "apart", "-q"], cwd=here) and commit(here, "apart"),
        "after every version",
        "HEAD does not contain churn@v1.0.0",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_one_no_is_enough_to_stop_it(here: Path, name: str) -> None:
    spoil, guard, words = SPOILED[name]
    spoil(here)
    assert words in refused(asked(here))[guard]


def test_nothing_changes_where_a_guard_says_no(here: Path) -> None:
    fail_a_gate(here)
    before = state_of(here)
    done = call(here, "promote", "--no-push")
    assert (done.returncode, state_of(here)) == (1, before)
    assert "REFUSED: gates passed. Nothing was changed." in done.stdout
    assert "Cure: see python -m ops gate; a person may overrule each: --overrule GATE=REASON" in done.stdout


def test_a_reason_overrules_the_rule_of_gain_alone(here: Path) -> None:
    gain(0.0, -0.001)(here)
    said = call(here, "promote", "--propose", "--dry-run").stdout
    cure_in(said, of="ops/registry/promoting.py: see python -m ops compare; to overrule: --force REASON")
    document = asked(here, "--force", "the old one is unfair")
    overruled = {each["guard"] for each in document["guards"] if each["overruled"]}
    assert overruled == {"better by enough"}
    assert not document["allowed"]
    assert "lock is fresh" in refused(document)


def test_a_forced_promotion_records_its_reason_even_in_a_clone_without_data(tmp_path: Path) -> None:
    here = clone_of(toy(tmp_path / "base").parent, "fresh", pulled=False)
    replace_in(here / "params.yaml", "least_gain: 0.01", "least_gain: 0.5")
    commit(here, "Ask for more")
    assert "better by enough" in refused(asked(here))
    assert_done(call(here, "promote", "--propose", "--force", "the old one is unfair"))
    assert "because: 'forced: the old one is unfair (roc_auc better by 0.0200" in (here / "champion.yaml").read_text()
    assert "- forced: the old one is unfair" in output(here, "git", "log", "-1", "--format=%b")


def test_a_gate_within_noise_is_not_promoted_by_itself(here: Path) -> None:
    miss_gates(here, within_noise=["f1"])
    assert refused(asked(here)) == {"gates passed": "gates within noise: f1"}


def test_a_person_overrules_gates_and_champion_yaml_and_the_model_keep_each_reason(here: Path) -> None:
    miss_gates(here, failed=["recall"], within_noise=["f1"])
    one = ("--overrule", "recall=the north is  closed")
    said = call(here, "promote", "--no-push", *one).stdout
    cure_in(said, of="ops/registry/promoting.py: see python -m ops gate; a person may overrule each: --overru")
    assert refused(asked(here, *one)) == {"gates passed": "gates failed: recall; gates within noise: f1"}
    done = assert_done(call(here, "promote", "--no-push", *one, "--overrule", "f1=a = b"))
    assert "overruled: recall: the north is closed; f1: a = b" in done.stdout
    entry = read_yaml(here / "champion.yaml", cure="")["churn"]
    assert entry["overruled"] == {"recall": "the north is closed", "f1": "a = b"}
    assert entry["because"].startswith("gates overruled: recall: the north is closed; f1: a = b; significantly better")
    assert "- a person overruled the gate f1: a = b" in output(here, "git", "log", "-1", "--format=%b")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--overrule", "recall="), "expected GATE=REASON"),
        (("--overrule", "recall"), "expected GATE=REASON"),
        (("--overrule", "recall=a", "--overrule", "recall=b"), "once for each gate"),
        (("--overrule", "accuracy=why"), "--overrule names ['accuracy'], expected gates that did not pass: ['recall']"),
    ],
)
def test_only_a_gate_that_did_not_pass_is_overruled_and_with_a_reason(
    here: Path, options: tuple[str, ...], message: str
) -> None:
    fail_a_gate(here)
    before = state_of(here)
    done = call(here, "promote", "--no-push", *options)
    assert (done.returncode, state_of(here)) == (2, before)
    assert message in done.stderr


def test_a_gate_that_passed_is_left_out_of_those_that_are_overruled(here: Path) -> None:
    fail_a_gate(here)
    both = ("--overrule", "recall=why", "--overrule", "accuracy=why")
    said = call(here, "promote", "--propose", "--dry-run", *both).stderr
    cure_in(said, of="ops/registry/promoting.py: see python -m ops gate; leave out --overrule for a gate that")
    assert asked(here, *both[:2])["allowed"]


def test_a_robot_overrules_no_gate(here: Path) -> None:
    fail_a_gate(here)
    before = state_of(here)
    done = call(here, "promote", "--no-push", "--overrule", "recall=why not", CI="true")
    assert (done.returncode, state_of(here)) == (2, before)
    assert "found --overrule with CI set, expected a person" in done.stderr
    key = "ops/registry/promote_command.py: run python -m ops promote --propose --overrule in your own c"
    cure_in(done.stderr, of=key)
    assert asked(here, "--overrule", "recall=why not")["allowed"]
    assert not any("overrule" in option for each in retrain.params for option in each.opts)


def test_a_promotion_is_one_commit_two_tags_and_a_model_that_is_the_challenger(promoted: Path) -> None:
    assert (promoted / "models/champion/pipeline.skops").read_text() == '["strong", {"strength": 2}]'
    assert output(promoted, "git", "log", "-1", "--format=%s") == "Promote version 2 of churn over version 1"
    changed = output(promoted, "git", "show", "--name-only", "--format=").splitlines()
    assert changed == ["champion.yaml", "dvc.lock", "metrics/abtest.json"]
    assert output(promoted, "git", "tag", "--points-at", "HEAD").splitlines() == ["churn#production#2", "churn@v2.0.0"]
    assert output(promoted, "git", "status", "--porcelain") == ""
    assert output(promoted, "dvc", "status") == "Data and pipelines are up to date."


def test_the_bytes_of_every_other_entry_stay(promoted: Path) -> None:
    assert (promoted / "champion.yaml").read_text().startswith(f"{CHAMPION}churn:\n  version: 2\n  replaces: 1\n")


def test_what_the_specification_left_open_is_written_out(promoted: Path) -> None:
    text = (promoted / "champion.yaml").read_text()
    assert "  features:\n    - age\n" in text
    assert "  trained_until: 2025-05-01\n" in text  # the last moment, and its horizon of 60 days


def test_others_have_the_commit_the_tags_and_the_objects(promoted: Path) -> None:
    other = clone_of(promoted.parent, "fresh")
    assert (other / "models/champion/pipeline.skops").read_text() == '["strong", {"strength": 2}]'
    assert output(other, "git", "tag") == output(promoted, "git", "tag")


def test_what_the_page_says_is_what_happens(here: Path) -> None:
    page = (ROOT / "docs/registry.md").read_text()
    for block in re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL):
        for lines in block.removeprefix("$ ").split("\n$ "):
            command, *shown = lines.splitlines()
            words = shlex.split(command)
            own = words[:3] == ["python", "-m", "ops"]
            done = assert_done(call(here, *words[3:]) if own else run(words, cwd=here))
            assert all(line in done.stdout for line in shown), done.stdout
    names = ("version-1", "in-production", "version-2")
    models = [(here / name / "pipeline.skops").read_text() for name in names]
    assert models == [*['["weak", {"strength": 1}]'] * 2, '["strong", {"strength": 2}]']


def test_what_is_champion_already_is_not_promoted_again(promoted: Path) -> None:
    document = asked(promoted)
    assert refused(document)["challenger is another model"] == "the challenger is the champion already, byte for byte"
    assert "better by enough" in refused(document)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"TOY_FAILS": "1"}, "`dvc repro` failed"),
        ({"TOY_DIFFERS": "er"}, "is not the judged challenger: pipeline.skops has other bytes"),
    ],
)
def test_a_champion_that_is_not_the_challenger_is_undone(here: Path, environment: dict[str, str], words: str) -> None:
    before = state_of(here)
    done = call(here, "promote", "--propose", **environment)
    assert done.returncode == 2
    assert words in done.stderr
    assert state_of(here) == before


def test_a_branch_is_proposed_and_what_is_merged_is_registered_once(tmp_path: Path) -> None:
    here = proposed_toy(tmp_path / "base")
    run(["git", "checkout", "--quiet", "-b", "better"], cwd=here)
    assert output(here, "git", "tag", "--list", "churn@v2*") == ""
    early = call(here, "promote", "--register", "--push")
    assert early.returncode == 1
    assert "better is another branch than origin/main" in early.stdout
    run(["git", "push", "--quiet", "origin", "better:main"], cwd=here)  # the merge, elsewhere
    other = clone_of(here.parent, "ci", pulled=False)
    staged = assert_done(call(other, "promote", "--register", "--stage", "staging", "--push"))
    assert "REGISTERED churn@v2.0.0 in staging: churn@v2.0.0, churn#staging#2, pushed." in staged.stdout
    assert "churn#production#3, pushed." in assert_done(call(other, "promote", "--register", "--push")).stdout
    again = assert_done(call(here, "promote", "--register"))
    assert "REGISTERED already: churn@v2.0.0 is in production." in again.stdout


def test_a_version_that_is_another_model_elsewhere_is_refused(tmp_path: Path) -> None:
    here = proposed_toy(tmp_path / "base")
    other = clone_of(here.parent, "other", pulled=False)
    (other / "champion.yaml").write_text(CHAMPION + "churn: {version: 2, estimator: another, replaces: 1}\n")
    commit(other, "Another version 2")
    run(["git", "tag", "-a", "churn@v2.0.0", "-m", "Theirs"], cwd=other)
    run(["git", "push", "--quiet", "origin", "main", "churn@v2.0.0"], cwd=other)
    done = call(here, "promote", "--register", "--push")
    assert done.returncode == 1
    assert "churn@v2.0.0 is at" in done.stdout
    assert "another model than at HEAD" in done.stdout
    assert "HEAD lacks commits of origin/main" in done.stdout
    assert output(here, "git", "tag", "--points-at", "HEAD") == ""


def test_a_tag_that_is_another_one_elsewhere_is_a_mistake(tmp_path: Path) -> None:
    here = promoted_toy(tmp_path / "base")
    run(["git", "tag", "--force", "-a", "churn@v2.0.0", "-m", "Mine", "HEAD^"], cwd=here)
    done = call(here, "promote", "--register")
    assert done.returncode == 2
    assert "churn@v2.0.0 differs from origin, expected the same tag" in done.stderr


def test_an_old_commit_does_not_bring_back_what_was_rolled_back(tmp_path: Path) -> None:
    here = rolled_back_toy(tmp_path / "base")
    run(["git", "checkout", "--quiet", "churn@v2.0.0"], cwd=here)
    done = call(here, "promote", "--register", "--push")
    assert done.returncode == 1
    assert "origin/main names version 1, HEAD version 2" in done.stdout


def test_a_registration_that_was_killed_before_its_push_is_taken_up_again(tmp_path: Path) -> None:
    here = proposed_toy(tmp_path / "base")
    run(["git", "tag", "-a", "churn@v2.0.0", "-m", "Register version 2 of churn"], cwd=here)
    done = assert_done(call(here, "promote", "--register", "--push"))
    assert "churn#production#2, pushed" in done.stdout
    assert "refs/tags/churn@v2.0.0" in output(here, "git", "ls-remote", "origin")


def test_a_stage_that_gto_does_not_know_is_a_mistake(here: Path) -> None:
    done = call(here, "promote", "--register", "--stage", "prod")
    assert done.returncode == 2
    assert "unknown stage, expected one of .gto: ['staging', 'production']" in done.stderr


def test_another_task_is_a_mistake(here: Path) -> None:
    done = call(here, "promote", "other", "--propose", "--dry-run")
    assert done.returncode == 2
    cure_in(done.stderr, of="ops/registry/task.py: dvc exp run -S task={}, and commit its results.")
    replace_in(here / "params.yaml", "task: churn", "task: other")
    commit(here, "Results of the other task")  # the toy's stages do not read the task
    assert "expected" not in call(here, "promote", "other", "--propose", "--dry-run").stderr


def test_a_commit_that_others_would_not_see_is_not_made(here: Path) -> None:
    done = call(here, "promote")
    assert done.returncode == 2
    cure_in(done.stderr, of="ops/registry/registering.py: --push, which pushes commit and tags in one step; or --propo")
    for option in ("--push", "--propose"):
        assert_done(call(here, "promote", option, "--dry-run"))


def test_a_shared_repository_that_cannot_be_asked_is_a_mistake_without_its_password(here: Path) -> None:
    run(["git", "remote", "set-url", "origin", "http://someone:secret@127.0.0.1:9/it.git"], cwd=here)
    done = call(here, "promote", "--register")
    assert done.returncode == 2
    assert "git ls-remote with the remote origin failed" in done.stderr
    assert "secret" not in done.stderr


def elsewhere(here: Path) -> Path:
    """Return another clone, from which somebody has just pushed something else."""
    other = clone_of(here.parent, "other", pulled=False)
    commit(other, "Something else")
    run(["git", "push", "--quiet"], cwd=other)
    return other


def test_a_push_whose_branch_is_late_leaves_no_tag_behind(here: Path) -> None:
    upstream = upstream_of(here)
    assert upstream is not None
    elsewhere(here)
    mine = commit(here, "Mine")
    run(["git", "tag", "-a", "churn@v2.0.0", "-m", "Mine"], cwd=here)
    with pytest.raises(LostError, match=r"refused the push, all of it.*Another change came first"):
        upstream.push(["churn@v2.0.0"], commit=mine)
    assert "churn@v2.0.0" not in output(here, "git", "ls-remote", "origin")


def test_a_push_whose_tag_is_late_moves_no_branch_and_no_tag(here: Path) -> None:
    upstream = upstream_of(here)
    assert upstream is not None
    other = clone_of(here.parent, "other", pulled=False)
    run(["git", "tag", "-a", "churn@v2.0.0", "-m", "Theirs"], cwd=other)
    run(["git", "push", "--quiet", "origin", "churn@v2.0.0"], cwd=other)
    before = output(here, "git", "ls-remote", "origin")
    mine = commit(here, "Mine")
    run(["git", "tag", "-a", "churn@v2.0.0", "-m", "Mine"], cwd=here)
    with pytest.raises(LostError, match=r"tags/churn@v2\.0\.0"):
        upstream.push(["churn@v2.0.0"], commit=mine)
    assert output(here, "git", "ls-remote", "origin") == before


def test_whoever_comes_while_another_is_at_work_is_turned_away(here: Path) -> None:
    with registry_lock(here):
        done = call(here, "promote", "--register")
    assert done.returncode == 1
    assert "runs in this repository" in done.stderr
    assert_done(call(here, "promote", "--register"))


def test_a_clock_that_is_behind_the_newest_tag_is_a_mistake(here: Path) -> None:
    later = {"GIT_COMMITTER_DATE": "2099-01-01T00:00:00Z"}
    run(["git", "tag", "-a", "churn#staging#9", "churn@v1.0.0^{}", "-m", "Later"], cwd=here, environment=later)
    done = call(here, "promote", "--register", "--stage", "staging", "--no-push")
    assert done.returncode == 0  # it is there already
    run(["git", "tag", "--delete", "churn#production#1"], cwd=here)
    done = call(here, "promote", "--register", "--no-push")
    assert done.returncode == 2
    assert "2099-01-01 00:00:00 UTC, which is in the future of this machine's clock" in done.stderr


def test_what_a_person_changed_meanwhile_is_kept(here: Path) -> None:
    replace_in(here / "champion.yaml", "version: 1", "version: 2")
    replace_in(here / "toy.py", "import", "import  ")
    (here / "metrics/abtest.json").write_text("{}")
    (here / "new.py").write_text("")
    shutil.rmtree(here / "models")
    run(["git", "add", "--all"], cwd=here)
    restore(here)
    assert output(here, "git", "diff", "--name-only", "HEAD").split() == ["new.py", "toy.py"]
    assert (here / "models/champion/pipeline.skops").is_file()


def test_of_two_promotions_in_two_clones_one_wins_and_the_other_is_as_before(here: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(here, here.parent / "other"))
    before = state_of(here)
    done = together(
        (here, ("promote", "--push"), {}), (other, ("promote", "--push"), {"GIT_COMMITTER_NAME": "another"})
    )
    assert sorted(each.returncode for each in done) == [0, 1], [each.stderr for each in done]
    loser = [each.returncode for each in done].index(1)
    assert "Another change came first" in done[loser].stderr
    assert "was undone" in done[loser].stderr
    assert state_of((here, other)[loser]) == before
    fresh = clone_of(here.parent, "fresh", pulled=False)
    numbers = ["churn#production#1", "churn#production#2", "churn@v1.0.0", "churn@v2.0.0"]
    assert output(fresh, "git", "tag").splitlines() == numbers
    assert_done(call(fresh, "history", "--check"))


def test_of_two_registrations_in_two_clones_one_wins_every_time(tmp_path: Path) -> None:
    for number in range(2):
        here = proposed_toy(tmp_path / str(number))
        other = Path(shutil.copytree(here, here.parent / "other"))
        run(["git", "commit", "--amend", "--quiet", "-m", "Theirs"], cwd=other)
        done = together(*((each, ("promote", "--register", "--push"), {}) for each in (here, other)))
        assert sorted(each.returncode for each in done) == [0, 1], [each.stderr for each in done]
        loser = (here, other)[[each.returncode for each in done].index(1)]
        assert output(loser, "git", "tag", "--points-at", "HEAD") == ""


def test_of_two_in_one_clone_one_has_its_turn(tmp_path: Path) -> None:
    here = proposed_toy(tmp_path / "base")
    for _ in range(2):
        done = together(*[(here, ("promote", "--register", "--push"), {})] * 2)
        made = [each for each in done if "REGISTERED churn@v2.0.0" in each.stdout]
        assert [each.returncode for each in made] == [0]
        for each in done:
            assert each in made or "already" in each.stdout or "runs in this repository" in each.stderr
        for name in ("churn@v2.0.0", "churn#production#2"):
            run(["git", "tag", "--delete", name], cwd=here)
            run(["git", "push", "--quiet", "origin", f":refs/tags/{name}"], cwd=here)
