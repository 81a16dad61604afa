"""The cache and a remote are asked for objects by their MD5."""

from pathlib import Path

import pytest

from ops.dvc.fingerprints import md5_of
from ops.dvc.repository import cached_outputs, files_read, open_repository
from ops.dvc.stores import Listings, StoreError, cache_of, check_remote, remote_of
from tests.cures import apply_cure
from tests.ops.trivial import trivial
from tests.project import run

STAGES = "stages:\n  make:\n    cmd: mkdir -p out/made && echo one > out/made/a.txt\n    outs: [out/made]\n"
CONTENT = b"one\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = trivial(tmp_path / "toy", STAGES)
    run(["dvc", "repro", "--quiet"], cwd=folder)
    run(["dvc", "push", "--quiet"], cwd=folder)
    return folder


def test_the_cache_and_a_remote_have_what_was_pushed(folder: Path) -> None:
    repository = open_repository(folder)
    md5, absent = md5_of(CONTENT), "0" * 32
    for store, place in ((cache_of(repository), ".dvc/cache"), (remote_of(repository, None), ".dvc/storage")):
        assert store.present([md5, absent]) == {md5}
        assert (store.read(md5), store.read(absent), store.size(md5)) == (CONTENT, None, 4)
        assert store.folder == folder / place
        assert store.path(md5).read_bytes() == CONTENT
    (out,) = cached_outputs(repository)
    assert Listings((cache_of(repository),)).of(out.hash_info.value) == {"a.txt": md5}


def test_a_remote_that_is_not_there_is_refused_until_another_is_the_default(folder: Path) -> None:
    run(["dvc", "config", "core.remote", "cloud"], cwd=folder)
    with pytest.raises(StoreError, match="'cloud' doesn't exist, expected one of") as refused:
        check_remote(folder)
    (name,) = run(["dvc", "remote", "list"], cwd=folder).stdout.split()[:1]
    key, fill = "ops/dvc/stores.py: dvc remote default NAME", {"NAME": name}
    apply_cure(str(refused.value), "dvc remote default NAME", of=key, cwd=folder, fill=fill)
    check_remote(folder)
    (folder / ".dvc/config").write_text("")
    check_remote(folder)


def test_files_are_found_as_dvc_finds_them(folder: Path) -> None:
    (folder / ".dvcignore").write_text("*.swp\n")
    (folder / "out/made/.a.swp").write_text("")
    assert files_read(open_repository(folder), folder / "out/made") == [folder / "out/made/a.txt"]
