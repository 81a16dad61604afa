"""DVC's configuration is read, and added to, as DVC itself does it."""

from pathlib import Path

from ops.dvc.config import cache_folder, read_config, remote_folders, remote_urls, write_local_config
from tests.ops.trivial import trivial
from tests.project import ROOT, run


def test_a_folder_that_is_a_remote_and_the_cache_are_absolute(tmp_path: Path) -> None:
    folder = trivial(tmp_path / "toy", "")
    run(["dvc", "remote", "add", "--quiet", "cloud", "s3://bucket/prefix"], cwd=folder)
    assert remote_folders(folder) == {"storage": str(folder / ".dvc/storage")}
    assert cache_folder(folder) == folder / ".dvc/cache"
    assert read_config(folder)["core"]["remote"] == "storage"


def test_the_default_remote_is_a_folder_of_the_clone_that_another_address_replaces(tmp_path: Path) -> None:
    folder = trivial(tmp_path / "toy", "", files={".dvc/config": (ROOT / ".dvc/config").read_text()})
    inside = str(folder / ".dvc/storage")
    assert remote_folders(folder) == {"storage": inside, "clone": inside}
    run(["dvc", "remote", "modify", "--quiet", "storage", "url", "s3://bucket"], cwd=folder)
    assert remote_urls(folder) == {"storage": "s3://bucket", "clone": inside}


def test_what_is_written_is_what_dvc_reads_and_the_rest_stays(tmp_path: Path) -> None:
    folder = trivial(tmp_path / "toy", "")
    run(["dvc", "remote", "modify", "--quiet", "--local", "storage", "verify", "true"], cwd=folder)
    cache = {"dir": str(tmp_path / "shared"), "type": ["hardlink", "copy"]}
    write_local_config(folder, cache=cache, remotes={"storage": str(tmp_path / "other")})
    assert read_config(folder)["cache"]["type"] == ["hardlink", "copy"]
    remote = read_config(folder)["remote"]["storage"]
    assert (remote["url"], remote["verify"]) == (str(tmp_path / "other"), True)
    assert cache_folder(folder) == tmp_path / "shared"
    assert run(["git", "status", "--porcelain"], cwd=folder).stdout == ""
