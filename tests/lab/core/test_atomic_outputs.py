"""Outputs are replaced only after success, and no temporary path remains."""

import os
from pathlib import Path

import pytest

from lab.core.atomic_outputs import replaced_file, replaced_folder


def write_half(path: Path) -> None:
    path.write_text("new")
    raise RuntimeError("half")


def test_a_file_is_written_with_the_same_mode_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with replaced_file(tmp_path / "a.txt") as partial:
            partial.write_text("new")
            assert not (tmp_path / "a.txt").exists()
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").read_text() == "new"
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError, match="half"), replaced_file(tmp_path / "a.txt") as partial:
        write_half(partial)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "stale.txt").write_text("old")
    with replaced_folder(target) as partial:
        (partial / "a.txt").write_text("new")
    assert [path.name for path in target.iterdir()] == ["a.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failed_write_keeps_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "a.txt").write_text("old")
    with pytest.raises(RuntimeError, match="half"), replaced_folder(target) as partial:
        write_half(partial / "a.txt")
    assert (target / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_temporary_folders_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    for name in (".out.partial",):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.txt").write_text("half")
    with replaced_folder(tmp_path / "out") as partial:
        assert list(partial.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
