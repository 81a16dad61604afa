"""The MD5 of a file and of a folder is the one that DVC records."""

from pathlib import Path

from ops.dvc.fingerprints import file_md5, folder_md5, md5_of
from ops.revisions.snapshot import WORKSPACE, Snapshot
from tests.ops.rooms import make_rooms


def test_a_file_and_a_folder_have_the_md5_that_dvc_records(tmp_path: Path) -> None:
    folder = make_rooms(tmp_path / "toy")
    stage = Snapshot(WORKSPACE, None, folder).lock["tell"]
    script = folder / "stages/tell.py"
    assert md5_of(script.read_bytes()) == file_md5(script) == stage.dependencies["stages/tell.py"].md5
    room = {path.name: file_md5(path) for path in (folder / "lab/core").glob("*.py")}
    assert folder_md5(room) == stage.dependencies["lab/core"].md5
