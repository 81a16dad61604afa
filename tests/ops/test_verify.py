"""`python -m ops verify`: finds what DVC calls changed, without the data."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ops.dvc.fingerprints import folder_md5
from ops.verify.check import Check, to_text
from ops.verify.checks import check_all, lock_is_fresh
from ops.verify.rebuild import everything_is_derived
from ops.verify.state import State
from tests.history import copy_of_history, history_of
from tests.ops.four_stages import PARAMS, call, commit, copy_of, make_four_stages, repro, set_params, write
from tests.project import QUIET, ROOT, change_params, run
from tests.remotes.recipes import RECIPES, commands
from tests.remotes.s3 import s3_storage
from tests.remotes.toy import SEALED

Spoil = Callable[[Path], object]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return history_of(tmp_path_factory)


@pytest.fixture
def clone(history: Path, tmp_path: Path) -> Path:
    """Return a fresh clone: no data and no cache; its remote is that of the history, to look at only."""
    run(["git", "clone", "--quiet", str(history), str(tmp_path / "clone")], cwd=tmp_path)
    (tmp_path / "clone/.dvc/storage").symlink_to(history / ".dvc/storage")
    return tmp_path / "clone"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_four_stages(tmp_path_factory.mktemp("toy") / "made")


@pytest.fixture
def toy(made: Path, tmp_path: Path) -> Path:
    return copy_of(made, tmp_path / "toy")


def checks_of(folder: Path, **how: Any) -> dict[str, Check]:
    return {check.name: check for check in check_all(State(folder, **how))}


def stages_told(check: Check) -> set[str]:
    return {line.split(":")[0] for line in check.found}


def add_to(path: str, text: str = "\n# changed\n") -> Spoil:
    def spoil(folder: Path) -> None:
        write(folder / path, "") if not (folder / path).exists() else None
        with (folder / path).open("a") as stream:
            stream.write(text)

    return spoil


def replace_in(path: str, old: str, new: str) -> Spoil:
    def spoil(folder: Path) -> None:
        text = (folder / path).read_text()
        assert old in text
        (folder / path).write_text(text.replace(old, new, 1))

    return spoil


def in_lock(change: Callable[[dict[str, Any]], object]) -> Spoil:
    def spoil(folder: Path) -> None:
        yaml = YAML(typ="safe")
        content = yaml.load((folder / "dvc.lock").read_text())
        change(content["stages"])
        (folder / "dvc.lock").write_text(json.dumps(content) + "\n")

    return spoil


def unlink(path: str) -> Spoil:
    return lambda folder: (folder / path).unlink()


def forge(stages: dict[str, Any], *, stage: str, path: str) -> None:
    """Let a stage have read something else."""
    next(item for item in stages[stage]["deps"] if item["path"] == path).update(md5="0" * 32)


# What was spoilt, and the stages of whose entries it makes something stale.
SPOILT: dict[str, tuple[Spoil, set[str]]] = {
    "nothing": (lambda _folder: None, set()),
    "a code file": (add_to("stages/tell.py"), {"tell"}),
    "a missing code file": (unlink("stages/tell.py"), {"tell"}),
    "a setting": (lambda folder: set_params(folder, {**PARAMS, "told": "badly"}), {"tell"}),
    "a setting that is gone": (lambda folder: set_params(folder, {**PARAMS, "told": None}), {"tell"}),
    "a setting of one candidate": (replace_in("params.yaml", '"weight": 1', '"weight": 2'), {"fit@low"}),
    "a new candidate": (
        lambda folder: set_params(folder, {**PARAMS, "candidates": {**PARAMS["candidates"], "new": {"weight": 3}}}),
        {"fit@new"},
    ),
    "a command": (replace_in("dvc.yaml", "python -m stages.tell", "python -m stages.tell now"), {"tell"}),
    "a metric edited by hand": (add_to("metrics/tell.json"), {"tell"}),
    "a missing metric": (unlink("metrics/tell.json"), {"tell"}),
    "a file beside the plots": (add_to("plots/choose/other.csv"), {"choose"}),
    "a lock entry removed": (in_lock(lambda stages: stages.pop("choose")), {"choose"}),
    "a file in the source": (add_to("data/source/more.txt"), {"make"}),
    "data that lies there": (add_to("data/made/left.txt"), {"make"}),
    "a file of data gone": (unlink("data/made/left.txt"), {"make"}),
    "what another branch left": (add_to("models/elsewhere/model.txt"), {"choose"}),
    "another stage's record": (
        in_lock(lambda stages: forge(stages, stage="tell", path="chosen.txt")),
        {"tell"},
    ),
    "a new dependency": (replace_in("dvc.yaml", "deps: [models,", "deps: [params.yaml, models,"), {"choose"}),
    "a stage that always runs": (
        replace_in("dvc.yaml", "  tell:\n", "  tell:\n    always_changed: true\n"),
        {"tell"},
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_the_lock_is_stale_when_dvc_says_so_and_the_stage_at_fault_is_named(
    toy: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy)
    spoil, expected = SPOILT[what]
    spoil(toy)
    by_dvc = stages_by_dvc()
    found = stages_told(lock_is_fresh(State(toy)))
    assert found == expected
    assert found <= by_dvc
    assert bool(found) == bool(by_dvc)


def stages_by_dvc() -> set[str]:
    """Return what `dvc status` calls changed in the working directory."""
    from dvc.repo import Repo  # noqa: PLC0415 - a quarter of a second that only these tests pay

    with Repo() as repository:
        return set(repository.status())


def test_the_project_is_judged_as_dvc_judges_it(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of_history(tmp_path_factory, tmp_path / "copy")
    monkeypatch.chdir(folder)
    assert lock_is_fresh(State(folder)).passed
    assert stages_by_dvc() == set()
    add_to("lab/drift/page.py")(folder)
    add_to("metrics/explain.json", " ")(folder)
    change_params(folder, {"train.candidates.forest.settings.trees": 21})
    replace_in("dvc.yaml", "python -m stages.card", "python -m stages.card now")(folder)
    replace_in("champion.yaml", "inverse_penalty: 1.0", "inverse_penalty: 2.0")(folder)
    in_lock(lambda stages: stages.pop("validate"))(folder)
    in_lock(lambda stages: stages.update(old=stages["card"]))(folder)
    check = lock_is_fresh(State(folder))
    assert check.found == (
        "train@forest: train.candidates.forest changed",
        "select: train.candidates changed",
        "champion: champion.yaml changed",
        "explain: metrics/explain.json is not what it wrote",
        "validate: never ran",
        "drift: lab/drift changed",
        "card: another command",
    )
    assert stages_told(check) <= stages_by_dvc()
    assert "(also recorded, and gone: old; `python -m ops resolve` drops it)" in check.summary


def test_a_fresh_clone_without_data_is_whole(clone: Path) -> None:
    checks = checks_of(clone)
    assert [check.found for check in checks.values()] == [()] * 7
    assert not (clone / "data/raw").exists()
    assert not (clone / ".dvc/cache").exists()


def test_records_unlike_their_producers_are_found_without_data(clone: Path) -> None:
    unlike = {
        "select": "models/candidates",  # a folder of several outputs
        "champion": "data/features/train.parquet",  # a file in a folder
        "evaluate": "models/challenger",  # a whole output
        "card": "metrics/drift.json",  # a result that git keeps
    }
    for stage, path in unlike.items():
        in_lock(partial(forge, stage=stage, path=path))(clone)
    found = lock_is_fresh(State(clone)).found
    assert found == tuple(f"{stage}: {path} is not what it read" for stage, path in unlike.items())


def test_what_cannot_be_told_without_a_listing_is_not_called_stale(clone: Path) -> None:
    assert lock_is_fresh(State(clone, asks_remote=False)).passed


def test_each_change_is_told_in_words(clone: Path) -> None:
    change_params(clone, {"select.margin": 0.02})
    replace_in("dvc.yaml", "python -m stages.select", "python -m stages.select now")(clone)
    in_lock(lambda stages: stages["select"]["deps"].append({"path": "lab/gone.py", "md5": "0" * 32}))(clone)
    assert lock_is_fresh(State(clone)).found == (
        "select: another command; select changed; lab/gone.py is recorded and no longer declared",
    )


def test_a_lock_with_conflict_markers_fails_with_its_cure_and_the_other_checks_are_made(clone: Path) -> None:
    replace_in("dvc.lock", "  card:", "<<<<<<< HEAD\n  card:")(clone)
    checks = checks_of(clone)
    assert "resolve" in checks["lock"].cure
    assert not checks["lock"].passed
    assert checks["deps"].passed


def on_remote(folder: Path, path: str, inside: str = "") -> Path:
    """Return an object on the default remote: of an output, or of a file in it."""
    yaml = YAML(typ="safe").load((folder / "dvc.lock").read_text())["stages"]
    md5 = next(out["md5"] for stage in yaml.values() for out in stage.get("outs", []) if out["path"] == path)
    if inside:
        listing = json.loads(object_of(folder, md5).read_bytes())
        md5 = next(entry["md5"] for entry in listing if entry["relpath"] == inside)
    return object_of(folder, md5)


def object_of(folder: Path, md5: str) -> Path:
    return folder / ".dvc/storage/files/md5" / md5[:2] / md5[2:]


def shorten(path: Path) -> None:
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:-1])


LOST: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "a file": (lambda folder: on_remote(folder, "chosen.txt").unlink(), ("chosen.txt is not there",)),
    "a folder": (lambda folder: on_remote(folder, "data/made").unlink(), ("data/made is not there",)),
    "a file in a folder": (
        lambda folder: on_remote(folder, "data/made", "left.txt").unlink(),
        ("data/made lacks 1 of 2 files: left.txt",),
    ),
    "the end of a file": (
        lambda folder: shorten(on_remote(folder, "data/made", "left.txt")),
        ("data/made is damaged: 13 bytes, expected 14",),
    ),
    "the end of a listing": (
        lambda folder: shorten(on_remote(folder, "data/made")),
        ("data/made is there, but the list of its files is damaged",),
    ),
    "everything": (
        lambda folder: shutil.rmtree(folder / ".dvc/storage"),
        ("none of the 5 outputs is there",),
    ),
}


@pytest.mark.parametrize("what", LOST)
@pytest.mark.parametrize("cache", ["with its cache", "without a cache"])
def test_what_the_remote_lacks_is_told(toy: Path, what: str, cache: str) -> None:
    spoil, expected = LOST[what]
    spoil(toy)
    if cache == "without a cache":
        shutil.rmtree(toy / ".dvc/cache")
    checks = checks_of(toy)
    assert checks["remote"].found == expected
    assert checks["lock"].passed
    assert "dvc push" in checks["remote"].cure


def test_a_remote_on_a_server_is_asked_for_every_file_and_its_refusal_tells_no_secret(
    toy: Path, tmp_path: Path
) -> None:
    lost = on_remote(toy, "data/made", "left.txt").relative_to(toy / ".dvc/storage")
    (tmp_path / "server").mkdir()
    with s3_storage(tmp_path / "server") as storage:
        heading, which = RECIPES[storage.kind]
        for command in commands(heading, storage.values, which=which):
            run(command, cwd=toy)
        commit(toy, "another place")
        assert "none of the 5 outputs is there" in verified(toy, storage.environment, code=1)
        run(["dvc", "push", "--quiet"], cwd=toy, environment=storage.environment)
        shutil.rmtree(toy / ".dvc/cache")
        assert "the remote storage has all of 10 objects" in verified(toy, storage.environment, code=0)
        storage.shelf.delete(f"{storage.base}{lost}")
        assert "data/made lacks 1 of 2 files: left.txt" in verified(toy, storage.environment, code=1)
        assert storage.wrong is not None
        said = verified(toy, storage.wrong, code=1)
        assert "the remote storage could not be asked" in said
        assert not [secret for secret in storage.secrets if secret in said]


def verified(folder: Path, environment: Mapping[str, str], *, code: int) -> str:
    """Verify in a process of its own, expect this exit code, and return all that was printed."""
    done = run(
        ["python", "-m", "ops", "verify"],
        cwd=folder,
        check=False,
        environment={**SEALED, **environment, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_another_remote_is_asked_by_its_name(toy: Path) -> None:
    run(["dvc", "remote", "add", "--quiet", "other", "elsewhere"], cwd=toy)
    assert checks_of(toy, remote_name="other")["remote"].cure.startswith("dvc push --remote other")
    assert checks_of(toy)["remote"].passed
    run(["dvc", "push", "--quiet", "--remote", "other"], cwd=toy)
    assert checks_of(toy, remote_name="other")["remote"].passed


def test_a_remote_that_does_not_exist_is_a_failed_check(toy: Path) -> None:
    check = checks_of(toy, remote_name="nowhere")["remote"]
    assert "nowhere" in check.found[0]
    assert "--no-remote" in check.cure


def test_without_the_remote_the_last_line_claims_nothing_about_it(toy: Path) -> None:
    shutil.rmtree(toy / ".dvc/storage")
    code, out, _ = call(toy, "verify", "--no-remote")
    last = "COMPLETE IN GIT: a clone has what git keeps; the remote was not contacted, so nothing is known of the data"
    assert (code, out.splitlines()[-1], "ok    remote" in out) == (0, last, False)
    document = json.loads(call(toy, "verify", "--no-remote", "--json")[1])
    assert (document["passed"], document["remote_contacted"]) == (True, False)


def test_data_that_dvc_was_given_counts_as_its_outputs_do(toy: Path) -> None:
    write(toy / "data/source/more.txt", "more")
    run(["dvc", "add", "--quiet", "data/source/more.txt"], cwd=toy)
    repro(toy)
    commit(toy, "more")
    assert checks_of(toy)["remote"].found == ("data/source/more.txt is not there",)
    run(["dvc", "push", "--quiet"], cwd=toy)
    assert [check.found for check in checks_of(toy).values()] == [()] * 7
    (toy / "data/source/more.txt").write_text("other")
    assert "data/source/more.txt.dvc: data/source/more.txt is not what it wrote" in checks_of(toy)["lock"].found


def test_a_folder_that_was_read_with_what_a_clone_lacks_is_told_though_dvc_calls_it_fresh(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy)
    set_params(toy, {**PARAMS, "candidates": {name: PARAMS["candidates"][name] for name in ("mid", "high")}})
    repro(toy)
    assert stages_by_dvc() == set()
    stray = "choose: models holds models/low/model.txt, which no stage writes: remove it"
    assert lock_is_fresh(State(toy)).found == (f"{stray}; models is not what it read",)
    shutil.rmtree(toy / "models/low")
    assert repro(toy) == ["choose"]
    assert lock_is_fresh(State(toy)).passed


def test_an_output_that_git_would_take_is_told(toy: Path) -> None:
    write(toy / ".gitignore", "/chosen.txt\n/ran.log\n__pycache__/\n/models/\n")
    assert checks_of(toy)["ignored"].found == ("data/made is not covered by .gitignore",)
    run(["git", "add", "--force", "chosen.txt"], cwd=toy)
    assert "chosen.txt is tracked by DVC and by git" in checks_of(toy)["ignored"].found


def test_code_that_is_imported_and_not_declared_is_told(toy: Path) -> None:
    write(toy / "lab/new/room.py", "")
    add_to("stages/tell.py", "import lab.new.room\n")(toy)
    assert checks_of(toy)["deps"].found == ("tell: lab/new is imported and not declared",)


def test_files_that_a_clone_would_lack_are_told(toy: Path) -> None:
    write(toy / "lab/new.py", "")
    write(toy / "lab/ignored.py", "")
    write(toy / "data/source/local.txt", "")
    write(toy / "plots/choose/stray.csv", "")
    write(toy / ".gitignore", (toy / ".gitignore").read_text() + "/lab/ignored.py\n")
    assert checks_of(toy)["known"].found == (
        "lab/ignored.py is a module that git does not track",
        "lab/new.py is a module that git does not track",
        "data/source/local.txt is read by a stage, and git does not track it",
        "plots/choose/stray.csv is a result, and git does not track it",
    )


def test_a_source_of_which_git_has_nothing_is_told(toy: Path) -> None:
    run(["git", "rm", "--quiet", "--cached", "data/source/rows.txt"], cwd=toy)
    (toy / "data/source/rows.txt").unlink()
    assert checks_of(toy)["known"].found == ("data/source is read by a stage, and git has nothing of it",)


def test_uncommitted_changes_fail_where_the_pipeline_looks_and_are_told_elsewhere(toy: Path) -> None:
    write(toy / "notes.md", "one")
    commit(toy, "notes")
    write(toy / "notes.md", "two")
    assert checks_of(toy)["committed"].passed
    assert "notes.md" in checks_of(toy)["committed"].summary
    add_to("stages/tell.py")(toy)
    add_to("params.yaml", " ")(toy)
    assert checks_of(toy)["committed"].found == ("params.yaml is not committed", "stages/tell.py is not committed")


def test_the_verb_says_yes_with_0_and_no_with_1_to_people_and_machines(toy: Path) -> None:
    code, out, _ = call(toy, "verify")
    assert (code, out.splitlines()[-1]) == (0, "COMPLETE: a clone of this commit has everything that it names")
    (toy / "metrics/tell.json").unlink()
    code, out, _ = call(toy, "verify", "--json")
    document = json.loads(out)
    assert (code, document["passed"], document["remote_contacted"]) == (1, False, True)
    assert [check["check"] for check in document["checks"] if not check["passed"]] == ["lock", "committed"]


def test_a_folder_that_is_no_dvc_repository_is_refused(tmp_path: Path) -> None:
    run(["git", "init", "--quiet"], cwd=tmp_path)
    code, _, error = call(tmp_path, "verify")
    assert (code, error.startswith("found no dvc.yaml")) == (2, True)


def test_a_rebuild_that_derives_the_same_bytes_passes_and_leaves_nothing(toy: Path, tmp_path: Path) -> None:
    before = (toy / "dvc.lock").read_bytes()
    code, out, error = call_in(toy, tmp_path / "temporary", "verify", "--rebuild")
    assert (code, "a clone of HEAD gives the same bytes: 6 stages" in out) == (0, True)
    assert "rebuild: tell (6 of 6)" in error
    assert not list((tmp_path / "temporary").iterdir())
    assert (toy / "dvc.lock").read_bytes() == before


def call_in(folder: Path, temporary: Path, *arguments: str) -> tuple[int, str, str]:
    """Run a verb whose temporary files go to a folder of our own."""
    temporary.mkdir()
    done = run(
        ["python", "-m", "ops", *arguments],
        cwd=folder,
        check=False,
        environment={"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
    )
    return done.returncode, done.stdout, done.stderr


def test_a_rebuild_names_the_first_stage_that_differs(toy: Path) -> None:
    add_to("stages/fit.py", "import os\nwrite(f'models/{name}/model.txt', str(os.getpid()))\n")(toy)
    repro(toy)
    commit(toy, "by chance")
    said: list[str] = []
    check = everything_is_derived(State(toy), say=said.append)
    assert check.found[0] == "fit@low: models/low (the first to differ)"
    assert len(check.found) == 5
    assert not any("make" in line for line in check.found)


def test_a_rebuild_brings_data_that_no_stage_derives(toy: Path) -> None:
    write(toy / "data/source/more.txt", "more")
    run(["dvc", "add", "--quiet", "data/source/more.txt"], cwd=toy)
    repro(toy)
    run(["dvc", "push", "--quiet"], cwd=toy)
    commit(toy, "more")
    shutil.rmtree(toy / ".dvc/cache")
    assert everything_is_derived(State(toy), say=lambda _: None).passed


def test_a_rebuild_that_cannot_run_tells_why(toy: Path) -> None:
    add_to("stages/tell.py", "raise SystemExit('no more ink')\n")(toy)
    commit(toy, "broken")
    code, _, error = call(toy, "verify", "--rebuild")
    assert code == 2
    assert "no more ink" in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_rebuild_leaves_nothing(toy: Path, tmp_path: Path, number: signal.Signals) -> None:
    add_to("stages/fit.py", "import time\ntime.sleep(600)\n")(toy)
    commit(toy, "slow")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**QUIET, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    with subprocess.Popen(
        ["python", "-m", "ops", "verify", "--rebuild"],
        cwd=toy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while "fit@low" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(number)
        try:
            process.wait(60)
        finally:
            process.kill()
    assert process.returncode in {130, 128 + signal.SIGTERM}
    assert not list(temporary.iterdir())


def test_the_hook_refuses_a_push_that_would_not_be_whole_and_lets_it_pass_when_it_is(toy: Path, tmp_path: Path) -> None:
    config = YAML(typ="safe").load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = {hook["id"]: hook for hook in config["repos"][0]["hooks"]}
    assert hooks["verify"]["stages"] == ["pre-push"]
    assert {"pre-commit", "pre-push"} <= set(config["default_install_hook_types"])
    run(["git", "clone", "--quiet", "--bare", str(toy), str(tmp_path / "origin.git")], cwd=tmp_path)
    run(["git", "remote", "add", "origin", str(tmp_path / "origin.git")], cwd=toy)
    (toy / ".venv").symlink_to(sys.prefix)
    write(toy / ".git/hooks/pre-push", f"#!/bin/sh\nexec {hooks['verify']['entry']}\n")
    (toy / ".git/hooks/pre-push").chmod(0o755)
    set_params(toy, {**PARAMS, "told": "badly"})
    commit(toy, "stale")
    assert "told is badly, it ran with well" in pushed(toy, code=1)
    repro(toy)
    commit(toy, "fresh")
    assert "\nCOMPLETE" in pushed(toy, code=0)
    assert run(["git", "log", "-1", "--format=%s", "main"], cwd=tmp_path / "origin.git").stdout.strip() == "fresh"


def pushed(folder: Path, *, code: int) -> str:
    """Push to the bare remote, expect this exit code, and return all that was printed."""
    done = run(["git", "push", "origin", "main"], cwd=folder, check=False, environment={"PYTHONPATH": str(ROOT)})
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_a_push_of_another_commit_than_the_one_looked_at_is_told(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(["git", "rev-parse", "HEAD"], cwd=toy).stdout.strip()
    monkeypatch.setenv("PRE_COMMIT_TO_REF", first)
    assert "another commit" not in checks_of(toy)["committed"].summary
    write(toy / "notes.md", "one")
    commit(toy, "notes")
    assert f"{first[:7]}, which is pushed, is another commit" in checks_of(toy)["committed"].summary


def test_told_has_each_check_and_its_cure() -> None:
    text = to_text([Check("lock", "is fresh"), Check("remote", "lacks some", ("data/raw is not there",), "dvc push")])
    assert text.splitlines() == [
        "ok    lock    is fresh",
        "FAIL  remote  lacks some",
        "              data/raw is not there",
        "              Cure: dvc push",
        "",
        "INCOMPLETE: remote",
    ]


def test_a_listing_has_the_fingerprint_that_dvc_gives_it(toy: Path) -> None:
    stages = YAML(typ="safe").load((toy / "dvc.lock").read_text())["stages"]
    md5 = stages["make"]["outs"][0]["md5"]
    listing = json.loads(object_of(toy, md5).read_bytes())
    assert folder_md5({entry["relpath"]: entry["md5"] for entry in listing}) == md5
