"""Paths of the repository, written with slashes from its root."""

from collections.abc import Iterable


def inside(path: str, folder: str) -> bool:
    """Say whether a path is this folder or lies in it.

    >>> inside("data/raw/sales.parquet", "data/raw"), inside("data/raw", "data/raw"), inside("data/rawer", "data/raw")
    (True, True, False)
    """
    return path == folder or path.startswith(f"{folder}/")


def inside_any(path: str, folders: Iterable[str]) -> bool:
    """Say whether a path is one of the folders or lies in one."""
    return any(inside(path, folder) for folder in folders)
