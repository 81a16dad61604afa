"""A storage as its client sees it, and the server's own hands on its objects."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

WRONG = "wr0ng-S3cret"
OBJECT = re.compile(r"files/md5/([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)")
FLIPPED, CUT, LOST = "flipped", "cut", "lost"
MOST_SECONDS = 30  # seconds that a held upload waits at most, so that a failed test ends


class Shelf(Protocol):
    """Where a server keeps what it was given, by path."""

    def names(self) -> list[str]: ...
    def read(self, name: str) -> bytes: ...
    def write(self, name: str, content: bytes) -> None: ...
    def delete(self, name: str) -> None: ...
    def keep(self, name: str) -> Callable[[], None]: ...


@dataclass(frozen=True)
class FolderShelf:
    """A folder of the server's machine."""

    folder: Path

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Put other bytes in a file's place; like a failing disk, this leaves its mode alone."""
        path = self.folder / name
        mode = path.stat().st_mode
        path.chmod(0o644)
        path.write_bytes(content)
        path.chmod(mode)

    def delete(self, name: str) -> None:
        (self.folder / name).unlink()

    def keep(self, name: str) -> Callable[[], None]:
        """Return what brings a file back as it is now."""
        path = self.folder / name
        content, mode = path.read_bytes(), path.stat().st_mode

        def bring_back() -> None:
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            path.chmod(mode)

        return bring_back


class Gate(Protocol):
    """Lets so many uploads pass and holds the next, so that its client can be killed midway."""

    def close_after(self, uploads: int) -> None: ...
    def open(self) -> None: ...
    def held(self) -> bool: ...


class UploadsGate:
    """Holds uploads in the server, after so many in all."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._holds = threading.Event()

    def close_after(self, uploads: int) -> None:
        """Let so many uploads pass from now on."""
        self._holds.clear()
        self._open.clear()
        self._left = uploads

    def open(self) -> None:
        """Let everything pass again."""
        self._left = None
        self._open.set()

    def held(self) -> bool:
        """Return whether an upload waits."""
        return self._holds.is_set()

    def wait(self) -> bool:
        """Return at once whether the upload passes, or when the gate opens that it came too late."""
        with self._lock:
            if self._left is None:
                return True
            self._left -= 1
            if self._left >= 0:
                return True
        self._holds.set()
        self._open.wait(MOST_SECONDS)
        return False


@dataclass(frozen=True)
class Storage:
    """One storage.

    `values` fill the names in capitals of docs/remotes.md; `base` is where its shelf has what the address names.
    `environment` is what the client may know; `wrong` is the same with a secret that the server refuses, in the words
    `refusal`. `secrets` must never be seen anywhere.
    """

    kind: str
    values: Mapping[str, str]
    shelf: Shelf
    base: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] | None = None
    refusal: str = ""
    secrets: tuple[str, ...] = ()
    gate: Gate | None = None

    def below(self, folder: str) -> "Storage":
        """Return the same server's storage in a folder below this one; the folder need not be there yet."""
        values = {**self.values, "PATH": f"{self.values['PATH']}/{folder}"}
        return replace(self, values=values, base=f"{self.base}{folder}/")

    def objects(self) -> dict[str, bytes]:
        """Return the bytes of every object, by the MD5 that it is stored under."""
        names = [name for name in self.shelf.names() if name.startswith(f"{self.base}files/md5/")]
        found = [(name, OBJECT.fullmatch(name.removeprefix(self.base))) for name in names]
        return {match[1] + match[2]: self.shelf.read(name) for name, match in found if match}

    @contextmanager
    def damaged(self, md5: str, kind: str) -> Iterator[None]:
        """Flip a bit of an object, cut it short or lose it, until the block ends."""
        name = f"{self.base}files/md5/{md5[:2]}/{md5[2:]}"
        bring_back, good = self.shelf.keep(name), self.shelf.read(name)
        if kind == LOST:
            self.shelf.delete(name)
        else:
            self.shelf.write(name, good[:-100] if kind == CUT else bytes([good[0] ^ 1]) + good[1:])
        try:
            yield
        finally:
            bring_back()


@contextmanager
def folder_storage(folder: Path) -> Iterator[Storage]:
    """Yield a folder outside the repository."""
    shelf = folder / "shared"
    shelf.mkdir()
    yield Storage(kind="folder", values={"PATH": str(shelf).lstrip("/")}, shelf=FolderShelf(shelf))
