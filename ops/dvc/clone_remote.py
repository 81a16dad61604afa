"""`python -m ops.dvc.clone_remote`: point the remote of older revisions at today's storage."""

from pathlib import Path
from typing import Any

from lab.core.command import run
from ops.dvc.config import DVC, read_config

HERE = ".dvc/storage"


def follow_storage(root: Path) -> None:
    """Give the remote `clone` the settings of `storage` in the configuration that no commit holds.

    DVC reads a revision with its own tracked configuration, where `storage` refers to `clone`, and with the local one
    of this clone. So `dvc exp push` and `dvc push --all-tags` find today's storage for each revision.
    """
    from dvc.config import Config  # noqa: PLC0415 - DVC takes a quarter of a second to import

    remotes = read_config(root).get("remote", {})
    if not {"clone", "storage"} <= set(remotes):
        return
    storage: dict[str, Any] = dict(remotes["storage"])
    wanted = {"url": HERE} if storage["url"] == "remote://clone" else storage
    with Config(str(root / DVC)).edit("local") as settings:
        settings.setdefault("remote", {})["clone"] = wanted


if __name__ == "__main__":
    run(lambda: follow_storage(Path()))
