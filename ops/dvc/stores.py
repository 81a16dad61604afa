"""Read what DVC keeps: the objects of the cache and of remotes."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from ops.dvc.fingerprints import md5_of

SECRET = re.compile(r"://[^/@\s]+@")


class StoreError(LabError):
    """A store could not be read."""


@dataclass(frozen=True)
class Store:
    """The cache, or a remote by its name."""

    name: str
    objects: Any

    @property
    def is_folder(self) -> bool:
        """Whether it is a local folder, where sizes cost nothing."""
        return bool(self.objects.fs.protocol == "local")

    @property
    def folder(self) -> Path:
        """The folder of a store that is one: the cache's, or the address of a remote."""
        return Path(self.objects.path).parents[1]

    def path(self, md5: str) -> Path:
        """Return where a store that is a folder keeps an object."""
        return Path(self.objects.oid_to_path(md5))

    def size(self, md5: str) -> int | None:
        """Return how many bytes the object has in a store that is a folder; None where it lacks it."""
        try:
            return self.path(md5).stat().st_size
        except FileNotFoundError:
            return None

    def present(self, fingerprints: Iterable[str]) -> set[str]:
        """Return those of the objects that are there; a remote gets one request for all."""
        wanted = set(fingerprints)
        if self.is_folder:
            return {md5 for md5 in wanted if self.size(md5) is not None}
        try:
            return set(self.objects.oids_exist(wanted))
        except Exception as error:  # noqa: BLE001 - storage libraries share no class of errors
            raise self._refusal(error) from None

    def read(self, md5: str) -> bytes | None:
        """Return an object's bytes, whether they are as recorded or not; None where it lacks it."""
        path = self.objects.oid_to_path(md5)
        try:
            return Path(path).read_bytes() if self.is_folder else bytes(self.objects.fs.cat_file(path))
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - as above
            raise self._refusal(error) from None

    def _refusal(self, error: Exception) -> StoreError:
        said = SECRET.sub("://***@", str(error)) or type(error).__name__
        return StoreError(
            f"{self.name} could not be asked: {said}. Cure: check `dvc remote list`, the network and the credentials "
            "in the environment"
        )


@dataclass
class Listings:
    """The files in folders that DVC keeps, from the first store that has the recorded listing."""

    stores: tuple[Store, ...]
    _known: dict[str, Mapping[str, str] | None] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)

    def of(self, md5: str) -> Mapping[str, str] | None:
        """Return the MD5 of each file of a folder by its path in the folder; None if no store has the listing."""
        if md5 not in self._known:
            self._known[md5] = self._read(md5)
        return self._known[md5]

    def learn(self, md5: str, listing: Mapping[str, str]) -> None:
        """Add a listing from elsewhere."""
        self._known[md5] = listing

    def _read(self, md5: str) -> Mapping[str, str] | None:
        for store in self.stores:
            content = self._try(store, md5)
            if content is not None and md5_of(content) == md5.removesuffix(".dir"):
                return {entry["relpath"]: entry["md5"] for entry in json.loads(content)}
        return None

    def _try(self, store: Store, md5: str) -> bytes | None:
        """Return what a store has; one that failed once is not tried again, because that may take long."""
        if store.name in self._failed:
            return None
        try:
            return store.read(md5)
        except StoreError:
            self._failed.add(store.name)
            return None


def cache_of(repository: Any) -> Store:
    """Return the cache of a DVC repository."""
    return Store("the cache", repository.cache.local)


def remote_of(repository: Any, name: str | None) -> Store:
    """Return a remote of a DVC repository by its name, or the default one."""
    from ops.dvc.errors import DvcError  # noqa: PLC0415 - DVC takes a quarter of a second to import

    chosen = name or repository.config["core"].get("remote")
    try:
        return Store(f"the remote {chosen}", repository.cloud.get_remote_odb(name, "verify"))
    except DvcError as error:
        said = SECRET.sub("://***@", str(error))
        raise StoreError(f"{said}, expected one of `dvc remote list`. Cure: dvc remote default NAME") from None


def check_remote(root: Path) -> None:
    """Refuse a default remote that the configuration does not define; a repository without one is none."""
    from ops.dvc.repository import open_repository  # noqa: PLC0415 - as above

    repository = open_repository(root)
    if "remote" in repository.config["core"]:
        remote_of(repository, None)
