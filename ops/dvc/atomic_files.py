"""Let DVC write dvc.lock and its rwlock atomically in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.core.atomic_outputs import replaced_file


class AtomicFiles:
    """A file system of DVC in which a file replaces the old one only when it is complete."""

    def __init__(self, files: Any) -> None:
        self._files = files

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)

    @contextmanager
    def open(self, path: str, mode: str = "r", **options: Any) -> Iterator[Any]:
        """Open a file as DVC does; one that is written is first written beside its place."""
        if "w" not in mode:
            with self._files.open(path, mode, **options) as stream:
                yield stream
            return
        with replaced_file(Path(path)) as partial, partial.open(mode, **options) as stream:
            yield stream


@contextmanager
def atomic_files() -> Iterator[None]:
    """Within the block, a kill or a full disk leaves the old dvc.lock and rwlock: DVC itself truncates them first."""
    from dvc import rwlock  # noqa: PLC0415 - DVC takes a quarter of a second to import
    from dvc.fs import localfs  # noqa: PLC0415 - as above
    from dvc.utils.serialize import _common  # noqa: PLC0415 - as above

    edit, dump = rwlock._edit_rwlock, _common._dump_data  # noqa: SLF001 - what writes the two files

    def edit_atomically(lock_dir: str, files: Any, hardlink: bool) -> Any:  # noqa: FBT001 - DVC's signature
        return edit(lock_dir, AtomicFiles(files), hardlink)

    def dump_atomically(path: str, data: Any, dumper: Any, fs: Any = None, **options: Any) -> None:
        dump(path, data, dumper, fs=AtomicFiles(fs or localfs), **options)

    rwlock._edit_rwlock, _common._dump_data = edit_atomically, dump_atomically  # noqa: SLF001 - as above
    try:
        yield
    finally:
        rwlock._edit_rwlock, _common._dump_data = edit, dump  # noqa: SLF001 - as above
