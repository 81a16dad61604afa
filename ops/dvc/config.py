"""Read and write the configuration of a DVC repository."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

DVC = ".dvc"


def read_config(root: Path) -> Mapping[str, Any]:
    """Return the configuration by section; a folder that it names is absolute."""
    from dvc.config import Config  # noqa: PLC0415 - DVC takes a quarter of a second to import

    found: Mapping[str, Any] = Config(str(root / DVC))
    return found


def cache_folder(root: Path) -> Path:
    """Return the folder of a repository's cache."""
    return Path(read_config(root).get("cache", {}).get("dir") or root / DVC / "cache").absolute()


def remote_urls(root: Path) -> dict[str, str]:
    """Return the address of each remote by name; one that refers to another has that one's."""
    from dvc.fs import get_fs_config  # noqa: PLC0415 - as above

    settings = read_config(root)
    return {name: str(get_fs_config(settings, name=name)["url"]).rstrip("/") for name in settings["remote"]}


def remote_folders(root: Path) -> dict[str, str]:
    """Return the remotes that are folders, by name."""
    return {name: url for name, url in remote_urls(root).items() if "://" not in url}


def write_local_config(root: Path, *, cache: Mapping[str, Any], remotes: Mapping[str, str]) -> None:
    """Add to the configuration that no commit holds: settings of the cache, and the address of each remote."""
    from dvc.config import Config  # noqa: PLC0415 - as above

    with Config(str(root / DVC)).edit("local") as settings:
        settings.setdefault("cache", {}).update(cache)
        for name, url in remotes.items():
            settings.setdefault("remote", {}).setdefault(name, {})["url"] = url
