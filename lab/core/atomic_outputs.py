"""Write outputs atomically: first a temporary path, then a rename."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_MODE = 0o644  # independent of the umask: dvc.lock records the executable bit


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write; it replaces `path` after success and is removed after an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.chmod(FILE_MODE)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; it replaces `path` after success and is removed after an error."""
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(path, ignore_errors=True)  # of a stage without DVC, which deletes outputs first
        os.rename(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
