"""The remote storage keeps its promises on real servers of every documented kind."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.project import ROOT
from tests.remotes.storages import CUT, FLIPPED, LOST, Storage
from tests.remotes.toy import CHANGED, LAST, MODEL, SAME, Toy, content_of, md5, md5_of, outputs_in, outputs_of
from tests.remotes.web import dead_port

# Reads outputs as our own commands do, in a process of its own: storage libraries leave connections to its end.
READER = """
import hashlib, sys
from pathlib import Path
from ops.revisions.objects import Objects, UnavailableError
from ops.revisions.snapshot import WORKSPACE, snapshot_of

stages, objects = snapshot_of(WORKSPACE).lock, Objects(Path())
for path in sys.argv[1:]:
    try:
        print(hashlib.md5(objects.output(stages, path)).hexdigest())
    except UnavailableError as error:
        print(error)
"""


@contextmanager
def damaged(storage: Storage, damages: dict[str, str]) -> Iterator[None]:
    with ExitStack() as stack:
        for path, kind in damages.items():
            stack.enter_context(storage.damaged(md5_of(path, "v2"), kind))
        yield


def test_a_fresh_clone_gets_what_was_pushed(storage: Storage, toy: Toy, tmp_path: Path) -> None:
    clone = toy.clone(tmp_path / "clone")
    toy.dvc("pull", cwd=clone, environment=storage.environment)
    assert outputs_in(clone) == outputs_of("v2")


def test_one_file_of_an_old_version_comes_without_a_clone(storage: Storage, toy: Toy, tmp_path: Path) -> None:
    got = tmp_path / "got.csv"
    asked = ("get", str(toy.origin), CHANGED, "--rev", "v1", "--out", str(got))
    toy.dvc(*asked, cwd=tmp_path, environment=storage.environment)
    assert got.read_bytes() == content_of(CHANGED, "v1")


def test_wrong_credentials_fail_clearly_and_write_nothing(storage: Storage, toy: Toy, tmp_path: Path) -> None:
    if storage.wrong is None:
        pytest.skip("a folder asks for none")
    clone = toy.clone(tmp_path / "clone")
    done = toy.dvc("pull", "--verbose", cwd=clone, environment=storage.wrong, check=False)
    assert done.returncode != 0
    assert storage.refusal in done.stderr
    assert outputs_in(clone) == {}
    assert not [secret for secret in storage.secrets if secret in done.stdout + done.stderr]


@pytest.mark.parametrize(
    "damages", [{MODEL: FLIPPED, SAME: CUT}, {SAME: LOST}], ids=lambda damages: "-".join(damages.values())
)
def test_a_damaged_object_is_noticed_by_a_pull_and_not_handed_out(
    storage: Storage, toy: Toy, tmp_path: Path, damages: dict[str, str]
) -> None:
    clone = toy.clone(tmp_path / "clone")
    with damaged(storage, damages):
        done = toy.dvc("pull", cwd=clone, environment=storage.environment, check=False)
    assert done.returncode != 0
    assert "ERROR: failed to" in done.stderr
    assert not [path for path in damages if (clone / path.partition("/")[0]).exists()]


def test_our_own_reader_hands_out_what_is_whole_and_refuses_what_is_damaged(
    storage: Storage, toy: Toy, tmp_path: Path
) -> None:
    clone = toy.clone(tmp_path / "clone")
    with damaged(storage, {MODEL: FLIPPED, SAME: CUT, LAST: LOST}):
        asked = ("python", "-c", READER, CHANGED, MODEL, SAME, LAST)
        done = toy.run(*asked, cwd=clone, environment={**storage.environment, "PYTHONPATH": str(ROOT)})
    whole, flipped, cut, lost = done.stdout.splitlines()
    assert whole == md5_of(CHANGED, "v2")
    assert "damaged in the remote" in flipped
    assert "damaged in the remote" in cut
    assert "neither in the cache nor on the remote" in lost


def test_a_server_that_is_down_fails_clearly_and_writes_nothing(storage: Storage, toy: Toy, tmp_path: Path) -> None:
    if "HOST" not in storage.values:
        pytest.skip("a folder has no server")
    clone = toy.clone(tmp_path / "clone")
    config, (host, port) = clone / ".dvc/config", storage.values["HOST"].split(":")
    with dead_port() as nobody:
        config.write_text(config.read_text().replace(f"{host}:{port}", f"{host}:{nobody}"))
        environment = {**storage.environment, "AWS_MAX_ATTEMPTS": "1"}
        done = toy.dvc("pull", cwd=clone, environment=environment, check=False)
    assert done.returncode != 0
    assert re.search("[Cc]onnect", done.stderr)
    assert outputs_in(clone) == {}


def test_a_push_that_was_killed_is_completed_by_the_next(storage: Storage, toy: Toy, tmp_path: Path) -> None:
    if storage.gate is None:
        pytest.skip("a folder has no server that could hold an upload")
    place = storage.below("killed")
    toy = toy.copy(tmp_path / "work")
    config = toy.folder / ".dvc/config"
    config.write_text(config.read_text().replace(storage.values["PATH"], place.values["PATH"]))
    storage.gate.close_after(4)
    toy.killed("push", "--jobs", "2", environment=storage.environment, when=storage.gate.held)
    storage.gate.open()
    before = place.objects()
    assert 0 < len(before) < len(outputs_of("v2"))
    assert not [name for name in before if name.endswith(".dir")]
    toy.dvc("push", environment=storage.environment)
    after = place.objects()
    assert {name for name in after if not name.endswith(".dir")} == {md5_of(path, "v2") for path in outputs_of("v2")}
    assert [md5(content) for content in after.values()] == [name.removesuffix(".dir") for name in after]


def test_no_secret_is_written_into_the_repository(storage: Storage, toy: Toy) -> None:
    written = [path for path in toy.folder.parent.rglob("*") if path.is_file()]
    assert written
    found = [path for path in written for secret in storage.secrets if secret.encode() in path.read_bytes()]
    assert found == []
