"""Open a DVC repository; its outputs, and the files that it reads."""

from pathlib import Path
from typing import Any

from dvc.repo import Repo


def open_repository(root: Path, *, wait_for_lock: bool = False) -> Any:
    """Return DVC's repository, to use as it is or in a `with`; it may wait for another DVC to finish."""
    return Repo(str(root), _wait_for_lock=wait_for_lock)


def cached_outputs(repository: Any) -> list[Any]:
    """Return the outputs in the repository that DVC keeps, in the order of dvc.yaml; git keeps the others."""
    outs = repository.index.outs
    return [out for out in outs if out.use_cache and out.protocol == "local" and out.is_in_repo]


def files_read(repository: Any, folder: Path) -> list[Path]:
    """Return the files that DVC reads in a folder."""
    return [Path(path) for path in repository.dvcignore.find(repository.fs, str(folder))]
