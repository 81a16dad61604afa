"""The outputs that DVC keeps for the checked-out revision, and the files in their places."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ops.dvc.fingerprints import file_md5, folder_md5
from ops.dvc.repository import cached_outputs, files_read
from ops.dvc.stages import path_of
from ops.dvc.stores import Store, cache_of


@dataclass(frozen=True)
class Output:
    """An output as dvc.lock or a .dvc file records it; a folder's fingerprint ends in `.dir`."""

    path: str
    md5: str
    stage: str
    has_command: bool


@dataclass(frozen=True)
class Project:
    """The working tree and the cache of a DVC repository, read byte by byte.

    DVC trusts what it noted of a file earlier, and so serves a damaged object of its cache.
    """

    repository: Any
    damaged: list[str] = field(default_factory=list)

    @cached_property
    def root(self) -> Path:
        return Path(self.repository.root_dir)

    @cached_property
    def _cache(self) -> Store:
        return cache_of(self.repository)

    def outputs(self) -> list[Output]:
        """Return the outputs that DVC keeps, in the order of dvc.yaml; without those that git keeps."""
        return [
            Output(
                path=path_of(out),
                md5=str(out.hash_info.value or ""),
                stage=out.stage.addressing,
                has_command=bool(out.stage.cmd),
            )
            for out in self._outs
        ]

    def files_at(self, path: str) -> dict[str, str] | None:
        """Return the fingerprint of each file of a folder by its path from there; a file's own path is empty.

        None where there is nothing.
        """
        place = self.root / path
        if place.is_file():
            return {"": file_md5(place)}
        if not place.is_dir():
            return None
        found = files_read(self.repository, place)
        return {file.relative_to(place).as_posix(): file_md5(file) for file in found}

    def holds(self, output: Output) -> bool:
        """Return whether the bytes in the output's place are those that are recorded."""
        files = self.files_at(output.path)
        return files is not None and (files[""] if "" in files else folder_md5(files)) == output.md5

    def remove(self, path: str) -> None:
        """Remove a file or folder."""
        place = self.root / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

    def keep(self, outputs: Sequence[Output]) -> None:
        """Save outputs that are in their places as recorded in the cache."""
        wanted = {output.path for output in outputs}
        for out in self._outs:
            if path_of(out) in wanted:
                out.commit()

    def check_out(self, paths: Sequence[str]) -> None:
        """Put outputs in their places from the cache, over whatever is there."""
        self.repository.checkout(list(paths), force=True)

    def fetch(self, paths: Sequence[str]) -> None:
        """Bring outputs from the remote into the cache."""
        self.repository.fetch(list(paths))

    def cached(self, md5: str) -> bool:
        """Return whether the cache has an object with the right bytes; a damaged one is removed."""
        place = self._cache.path(md5)
        if not place.is_file():
            return False
        if file_md5(place) == md5.removesuffix(".dir"):
            return True
        place.unlink()
        self.damaged.append(md5)
        return False

    def cached_whole(self, output: Output) -> bool:
        """Return whether the cache has all of an output."""
        if not self.cached(output.md5):
            return False
        if not output.md5.endswith(".dir"):
            return True
        listing = json.loads(self._cache.path(output.md5).read_bytes())
        return not [entry for entry in listing if not self.cached(entry["md5"])]  # every one is looked at

    @property
    def _outs(self) -> list[Any]:
        return cached_outputs(self.repository)
