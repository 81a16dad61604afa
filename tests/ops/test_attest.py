"""`python -m ops attest`: signers of the same bytes are counted offline."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cures import apply_cure, cure_in
from tests.ops.toy import assert_done, call, commit, output, replace_in, toy
from tests.project import QUIET, ROOT, run

pytestmark = pytest.mark.xdist_group("registry")
TAG = "churn@v1.0.0"
FOLDER = f"attestations/{TAG}"
COMMAND, SIGNATURES, STATEMENT = (f"ops/attest/{name}.py" for name in ("command", "signatures", "statement"))
PAGE = (ROOT / "docs/attestations.md").read_text()


def new_key(folder: Path, name: str, *, allowed: bool = True) -> str:
    key = folder.parent / name
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], cwd=folder)
    if allowed:
        with (folder / "attestations/allowed_signers").open("a") as stream:
            stream.write(f"{name} {key.with_suffix('.pub').read_text()}")
    return str(key)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Return a toy with version 1, whose signers are anna and ben; nobody has signed."""
    folder = toy(tmp_path / "base")
    shutil.copytree(ROOT / "attestations", folder / "attestations")
    for name in ("anna", "ben"):
        new_key(folder, name)
    return folder


def signed(folder: Path, name: str) -> str:
    done = call(folder, "attest", TAG, "--no-rebuild", "--key", str(folder.parent / name))
    return assert_done(done).stdout


def refused(folder: Path, *words: str, **environment: str) -> str:
    before = sorted((folder / "attestations").rglob("*"))
    done = call(folder, "attest", *words, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert sorted((folder / "attestations").rglob("*")) == before
    return done.stderr


def test_several_signers_sign_one_statement_and_are_counted(here: Path) -> None:
    assert "2 signers got" in (none := call(here, "attest", "--verify")).stderr
    assert (none.returncode, "0 of 2" in none.stderr) == (1, True)
    done = assert_done(call(here, "attest", "--key", str(here.parent / "anna")))
    assert "rebuild: evaluate (3 of 3)" in done.stderr
    statement = (here / FOLDER / "statement.json").read_bytes()
    assert signed(here, "ben") == f"SIGNED {TAG} as ben: {FOLDER}/ben.sig. Commit {FOLDER}.\n"
    assert (here / FOLDER / "statement.json").read_bytes() == statement
    found = call(here, "attest", "--verify", TAG, "--least", "2")
    assert (found.returncode, found.stdout) == (0, f"{TAG}: 2 of 2 signers got the bytes that are here: anna, ben\n")
    assert call(here, "attest", "--verify", TAG, "--least", "3").returncode == 1


def test_the_statement_is_in_toto_with_slsa_provenance_and_holds_no_place_or_clock(here: Path) -> None:
    signed(here, "anna")
    text = (here / FOLDER / "statement.json").read_text()
    found = json.loads(text)
    assert (found["_type"], found["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://slsa.dev/provenance/v1",
    )
    definition, details = found["predicate"]["buildDefinition"], found["predicate"]["runDetails"]
    assert definition["externalParameters"]["version"] == TAG
    assert {"buildType", "externalParameters"} <= set(definition)
    assert details.keys() == {"builder"}
    commit = output(here, "git", "rev-parse", f"{TAG}^{{commit}}")
    assert definition["resolvedDependencies"][0] == {"name": "commit", "digest": {"gitCommit": commit}}
    sums = [
        line.split("  ")
        for line in output(here, "bash", "-c", "sha256sum dvc.lock metrics/* models/champion/*").splitlines()
    ]
    assert found["subject"] == [{"name": name, "digest": {"sha256": digest}} for digest, name in sums]
    assert not re.search(r"20\d\d-\d\d|/tmp|" + re.escape(str(here)), text)


def test_the_page_is_true(here: Path) -> None:
    first, second = (block.splitlines() for block in re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL))
    for line in (*first, *second):
        command = line.replace("KEY", "../carl").replace("NAME", "carl").replace("TAG", TAG)
        done = run(["bash", "-ec", command], cwd=here, environment={"PYTHONPATH": str(ROOT)})
    assert done.stdout.startswith('Good "in-toto" signature for carl')
    assert output(here, "git", "status", "--porcelain") == ""


def test_a_rebuild_that_gives_other_bytes_is_not_signed(here: Path) -> None:
    done = call(here, "attest", "--key", str(here.parent / "anna"), TOY_DIFFERS="!")
    assert (done.returncode, done.stderr.endswith(f"{TAG}: NOT SIGNED\n")) == (1, True)
    assert "champion: models/champion (the first to differ)" in done.stderr
    assert not (here / FOLDER).exists()


def test_a_tag_that_was_moved_is_not_the_same(here: Path) -> None:
    signed(here, "anna")
    replace_in(here / "metrics/abtest.json", "0.", "1.")
    commit(here, "nicer metrics")
    run(["git", "tag", "--force", "-a", TAG, "-m", "moved"], cwd=here)
    done = call(here, "attest", "--verify", TAG)
    assert done.returncode == 1
    said = f"{TAG}: NOT THE SAME BYTES as in {FOLDER}/statement.json: commit, metrics/abtest.json\n"
    assert done.stderr == said
    assert call(here, "attest", "--no-rebuild", "--key", str(here.parent / "ben")).stderr == said


def test_one_key_under_two_names_is_one_signer(here: Path) -> None:
    signed(here, "anna")
    with (here / "attestations/allowed_signers").open("a") as stream:
        stream.write(f"other {(here.parent / 'anna.pub').read_text()}")
    shutil.copy(here / FOLDER / "anna.sig", here / FOLDER / "other.sig")
    assert "1 of 3 signers" in call(here, "attest", "--verify").stdout


@pytest.mark.parametrize("spoiled", ["statement.json", "anna.sig"])
def test_a_signature_that_does_not_fit_is_refused(here: Path, spoiled: str) -> None:
    signed(here, "anna")
    commit(here, "attested")
    path = here / FOLDER / spoiled
    content = path.read_text()
    path.write_text(content.replace("dvc.lock", "dvc.lick") if spoiled == "statement.json" else content[:90])
    message = refused(here, "--verify", TAG)
    assert message.startswith(f"{FOLDER}/anna.sig does not fit {FOLDER}/statement.json")
    key = f"{COMMAND}: git checkout {{}}, or remove it and let {{}} sign again"
    apply_cure(message, "git checkout attestations", of=key, cwd=here)
    assert call(here, "attest", "--verify").returncode == 0


def test_a_statement_that_is_none_is_refused(here: Path) -> None:
    signed(here, "anna")
    commit(here, "attested")
    (here / FOLDER / "statement.json").write_text("{}")
    message = refused(here, "--no-rebuild", "--key", str(here.parent / "ben"))
    apply_cure(message, f"git checkout {FOLDER}", of=f"{STATEMENT}: git checkout {{}}", cwd=here)
    signed(here, "ben")


def test_a_changed_file_is_refused(here: Path) -> None:
    signed(here, "anna")
    (here / "models/champion/pipeline.skops").chmod(0o644)
    for name in ("metrics/abtest.json", "models/champion/pipeline.skops", "dvc.lock"):
        (here / name).write_text((here / name).read_text() + " ")
    message = refused(here, "--verify")
    assert message.startswith("dvc.lock, metrics/abtest.json, models/champion/pipeline.skops: found other bytes")
    command = "git checkout dvc.lock metrics; dvc checkout --force models/champion"
    apply_cure(message, command, of=f"{COMMAND}: {command[:60]}", cwd=here)
    assert call(here, "attest", "--verify").returncode == 0


def test_a_model_that_is_nowhere_is_refused(here: Path) -> None:
    signed(here, "anna")
    for place in (here / ".dvc/cache", here.parent / "storage"):
        shutil.rmtree(place)
    assert "neither in the cache nor on the remote" in refused(here, "--verify")


def test_a_version_without_a_model_is_refused(here: Path) -> None:
    (here / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    commit(here, "no model")
    run(["git", "tag", "--force", "-a", TAG, "-m", "moved"], cwd=here)
    message = refused(here, "--no-rebuild", "--key", str(here.parent / "anna"))
    key = f"{STATEMENT}: name a version that has one; python -m ops history lists the"
    assert "the first champion" in apply_cure(message, "python -m ops history", of=key, cwd=here).stdout


def test_an_unknown_tag_is_refused_until_it_is_fetched(here: Path) -> None:
    run(["git", "tag", "--delete", TAG], cwd=here)
    message = refused(here, "--verify", TAG)
    assert message.startswith(f"{TAG} is no registered version, expected one of [].")
    key = f"{COMMAND}: git fetch --tags; python -m ops promote --register makes a v"
    apply_cure(message, "git fetch --tags", of=key, cwd=here)
    assert "0 of 2" in call(here, "attest", "--verify", TAG).stderr


def test_a_list_without_signers_is_refused_until_it_has_one(here: Path) -> None:
    (here / "attestations/allowed_signers").write_text("# nobody\n\n")
    command = 'echo "NAME $(cat KEY.pub)" >> attestations/allowed_signers'
    key = f'{SIGNATURES}: echo "NAME $(cat KEY.pub)" >> {{}}'
    apply_cure(refused(here, "--verify"), command, of=key, cwd=here, fill={"NAME": "anna", "KEY": "../anna"})
    signed(here, "anna")
    (here / "attestations/allowed_signers").write_text("*@example.org ssh-ed25519 AAAA\n")
    assert "write one line" in cure_in(refused(here, "--verify"), of=f"{SIGNATURES}: write one line for each signer.")


def test_a_key_that_is_not_allowed_signs_nothing(here: Path) -> None:
    words = ("--no-rebuild", "--key", new_key(here, "carl", allowed=False))
    command = f'echo "NAME $(cat {here.parent}/carl.pub)" >> attestations/allowed_signers'
    key = f'{SIGNATURES}: echo "NAME $(cat {{}})" >> {{}}'
    apply_cure(refused(here, *words), command, of=key, cwd=here, fill={"NAME": "carl"})
    signed(here, "carl")


@pytest.mark.parametrize("words", [(), ("--key", "nowhere"), ("--key", "dvc.yaml")])
def test_without_a_usable_key_nothing_is_signed(here: Path, words: tuple[str, ...]) -> None:
    message = refused(here, "--no-rebuild", *words)
    key = (
        f"{SIGNATURES}: give a private key of SSH: ssh-keygen -t ed25519 -f FILE; th"
        if "dvc.yaml" in words
        else f"{COMMAND}: ssh-keygen -t ed25519 -f FILE makes one; then --key FILE"
    )
    assert "--key FILE" in cure_in(message, of=key)
    signed(here, "anna")


def test_without_ssh_keygen_nothing_is_signed_or_counted(here: Path) -> None:
    signed(here, "anna")
    tools = here.parent / "tools"
    tools.mkdir()
    (tools / "git").symlink_to(str(shutil.which("git", path=QUIET["PATH"])))
    for words in (("--verify",), ("--no-rebuild", "--key", str(here.parent / "ben"))):
        message = refused(here, *words, PATH=str(tools))
        assert "openssh-client" in cure_in(
            message, of=f"{SIGNATURES}: install OpenSSH 8.2 or newer (in Debian the package openssh-"
        )
