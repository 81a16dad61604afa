"""A kill or a full disk leaves the old dvc.lock and rwlock."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc import rwlock
from dvc.cli import main
from dvc.utils.serialize import _common, _yaml

from ops.dvc.atomic_files import atomic_files
from ops.dvc.cli import run_here
from tests.ops.trivial import trivial

# DVC asks pygtrie in a way that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
STAGES = "stages:\n  one:\n    cmd: cp source.txt out/one.txt\n    deps: [source.txt]\n    outs: [out/one.txt]\n"
FULL = OSError(errno.ENOSPC, "no space left on the disk")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository that has run, and whose source has changed since."""
    folder = trivial(tmp_path / "toy", STAGES, files={"source.txt": "one\n"})
    monkeypatch.chdir(folder)
    assert run_here("repro", "--quiet") == 0
    (folder / "source.txt").write_text("two\n")
    return folder


def full_at(name: str, write: Callable[..., None]) -> Callable[..., None]:
    """Return `write`, for which the disk is full when it has begun a file of this name."""

    def begin(data: object, stream: Any, **options: object) -> None:
        if name not in Path(stream.name).name:
            return write(data, stream, **options)
        stream.write("{")
        stream.flush()
        raise FULL

    return begin


def test_a_full_disk_leaves_the_old_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / "dvc.lock").read_bytes()
    monkeypatch.setattr(_yaml, "_dump", full_at("dvc.lock", _yaml._dump))
    assert run_here("repro", "--quiet") != 0
    assert (folder / "dvc.lock").read_bytes() == before
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert run_here("repro", "--quiet") == 0
    assert (folder / "dvc.lock").read_bytes() != before
    assert not list(folder.glob(".*.partial"))


def test_a_full_disk_leaves_the_old_rwlock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / ".dvc/tmp/rwlock").read_bytes()
    monkeypatch.setattr(json, "dump", full_at("rwlock", json.dump))
    assert run_here("repro", "--quiet") != 0
    assert (folder / ".dvc/tmp/rwlock").read_bytes() == before


def test_dvc_by_itself_leaves_neither(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason for the adapter: the day this fails, it can go."""
    monkeypatch.setattr(_yaml, "_dump", full_at("dvc.lock", _yaml._dump))
    assert main(["repro", "--quiet"]) != 0
    assert (folder / "dvc.lock").read_text() == "{"


def test_the_files_of_dvc_are_its_own_again_after_the_block() -> None:
    before = (rwlock._edit_rwlock, _common._dump_data)
    with atomic_files():
        assert rwlock._edit_rwlock is not before[0]
        assert _common._dump_data is not before[1]
    assert (rwlock._edit_rwlock, _common._dump_data) == before
