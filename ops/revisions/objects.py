"""Read outputs from the cache or the remote, and check their MD5."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from lab.core.errors import LabError
from ops.dvc.fingerprints import md5_of
from ops.dvc.stores import Store, StoreError, cache_of, remote_of
from ops.revisions.lock import Item, LockedStage

PUSH = "`dvc push` where it was made"
MEND = "a push does not replace what is there, so mend the storage as docs/remotes.md says"


class UnavailableError(LabError):
    """Neither the cache nor the remote has the object undamaged."""


@dataclass(frozen=True)
class Objects:
    """The repository's store of outputs. Nothing is written; an object is read into memory, and its MD5 is checked."""

    root: Path

    @cached_property
    def _repository(self) -> Any:
        from ops.dvc.repository import open_repository  # noqa: PLC0415 - DVC takes a quarter of a second to import

        return open_repository(self.root)

    @cached_property
    def _remote(self) -> Store:
        return remote_of(self._repository, None)

    def output(self, stages: dict[str, LockedStage], path: str) -> bytes:
        """Return the file at this path below an output of a dvc.lock."""
        item, inside = _output_of(stages, path)
        return self.read(self.fingerprint(item, inside), what=path)

    def fingerprint(self, item: Item, inside: str) -> str:
        """Return the MD5 of an output, or of the file that lies inside it when it is a folder."""
        if not inside:
            return item.md5
        listing = json.loads(self.read(item.md5, what=item.path))
        found = {entry["relpath"]: entry["md5"] for entry in listing}
        if inside not in found:
            raise UnavailableError(f"{item.path} has no file {inside}; it has {sorted(found)}. Cure: correct the name.")
        return str(found[inside])

    def read(self, md5: str, *, what: str) -> bytes:
        """Return an object by its MD5; `what` is its name in a message."""
        damaged = []
        for place, read in (("the cache", self._from_cache), ("the remote", self._from_remote)):
            try:
                content = read(md5)
            except StoreError as error:
                raise UnavailableError(
                    f"{what} ({md5}) is not in the cache, and the remote could not be asked: {error}"
                ) from error
            if content is None:
                continue
            if md5_of(content) == md5.removesuffix(".dir"):
                return content
            damaged.append(place)
        found = f"damaged in {' and in '.join(damaged)}" if damaged else "neither in the cache nor on the remote"
        raise UnavailableError(
            f"{what} ({md5}) is {found}, expected the bytes that dvc.lock records. "
            f"Cure: {MEND if 'the remote' in damaged else PUSH}; "
            "or check that revision out and `dvc repro`, which derives the same bytes again."
        )

    def _from_cache(self, md5: str) -> bytes | None:
        return cache_of(self._repository).read(md5)

    def _from_remote(self, md5: str) -> bytes | None:
        return self._remote.read(md5)


def _output_of(stages: dict[str, LockedStage], path: str) -> tuple[Item, str]:
    wanted = PurePosixPath(path)
    for stage in stages.values():
        for name, item in stage.outputs.items():
            if wanted.is_relative_to(name):
                return item, str(wanted.relative_to(name)) if wanted != PurePosixPath(name) else ""
    raise UnavailableError(f"{path} is no output in dvc.lock. Cure: `dvc repro` writes it, where a stage makes it.")
